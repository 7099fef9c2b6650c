// Choosing a call: a search over names, paths and what the calls do.

import { html } from "../ui.js";

const { useMemo, useState } = globalThis.React;
const { Badge, Box, Button, Card, Code, Field, HStack, Input, Link, SimpleGrid, Stack, Text } = globalThis.ChakraUI;

const METHODS = { GET: "green", POST: "purple" };

export const MethodBadge = ({ method }) => html`<${Badge} colorPalette=${METHODS[method]}>${method}<//>`;

export function EndpointPicker({ endpoints, chosen, onChoose }) {
  return chosen
    ? html`<${Chosen} endpoint=${chosen} onChange=${() => onChoose(null)} />`
    : html`<${Search} endpoints=${endpoints} onChoose=${onChoose} />`;
}

function Search({ endpoints, onChoose }) {
  const [text, setText] = useState("");
  const found = useMemo(() => matching(endpoints, text), [endpoints, text]);
  const chooseOnlyOne = (event) => {
    event.preventDefault();
    if (found.length > 0) onChoose(found[0]);
  };
  return html`
    <${Stack} gap=${4}>
      <form onSubmit=${chooseOnlyOne} role="search">
        <${Field.Root} maxW="40rem">
          <${Field.Label}>Search a call<//>
          <${Input}
            autoFocus
            type="search"
            value=${text}
            onChange=${(event) => setText(event.target.value)}
            placeholder="refund, guaranteed, attempt, list …"
          />
          <${Field.HelperText} aria-live="polite">${found.length} of ${endpoints.length} calls. Enter takes the first.<//>
        <//>
      </form>
      <${SimpleGrid} columns=${{ base: 1, md: 2, "2xl": 3 }} gap=${3}>
        ${found.map((one) => html`<${Offer} key=${one.name} endpoint=${one} onChoose=${() => onChoose(one)} />`)}
      <//>
    <//>
  `;
}

function Offer({ endpoint, onChoose }) {
  return html`
    <${Button}
      variant="outline"
      h="auto"
      p=${4}
      justifyContent="flex-start"
      whiteSpace="normal"
      textAlign="left"
      onClick=${onChoose}
    >
      <${Stack} gap=${1} minW=${0} w="full">
        <${HStack} wrap="wrap">
          <${MethodBadge} method=${endpoint.method} />
          <${Text} fontWeight="semibold">${endpoint.label}<//>
        <//>
        <${Text} fontSize="sm" color="fg.muted" fontWeight="normal">${endpoint.about}<//>
        <${Text} fontSize="xs" color="fg.muted" fontFamily="mono" fontWeight="normal" overflowWrap="anywhere">
          ${endpoint.path}
        <//>
      <//>
    <//>
  `;
}

function Chosen({ endpoint, onChange }) {
  return html`
    <${Card.Root} size="sm">
      <${Card.Body}>
        <${HStack} justify="space-between" align="flex-start" wrap="wrap" gap=${3}>
          <${Stack} gap=${1} minW=${0}>
            <${HStack} wrap="wrap">
              <${MethodBadge} method=${endpoint.method} />
              <${Box} as="h2" fontSize="lg" fontWeight="semibold">${endpoint.label}<//>
            <//>
            <${Text} color="fg.muted">${endpoint.about}<//>
            <${Code} size="sm" overflowWrap="anywhere" whiteSpace="normal" alignSelf="flex-start">${endpoint.path}<//>
          <//>
          <${HStack}>
            ${endpoint.reference &&
            html`<${Link} href=${endpoint.reference} target="_blank" rel="noopener noreferrer" fontSize="sm" color="fg.info">
              Stripe's reference ↗
            <//>`}
            <${Button} size="sm" variant="outline" onClick=${onChange}>Another call<//>
          <//>
        <//>
      <//>
    <//>
  `;
}

function matching(endpoints, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const textOf = (one) => `${one.name} ${one.label} ${one.path} ${one.about} ${one.method}`.toLowerCase();
  return endpoints.filter((one) => words.every((word) => textOf(one).includes(word)));
}
