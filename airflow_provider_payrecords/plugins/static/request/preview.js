// What is sent, exactly, and the same as code to paste.

import { CodeBox, CopyButton, html } from "../ui.js";
import { isMissing } from "./state.js";

const { Badge, Box, Card, Flex, HStack, Stack, Table, Tabs, Text } = globalThis.ChakraUI;

export function Preview({ composed, isStale }) {
  const problems = composed?.problems ?? [];
  return html`
    <${Card.Root} size="sm" as="section" aria-label="Request">
      <${Card.Header} pb=${2}>
        <${HStack} justify="space-between" wrap="wrap">
          <${Box} as="h2" fontWeight="semibold">Request<//>
          <${Box} aria-live="polite"><${State} composed=${composed} problems=${problems} isStale=${isStale} /><//>
        <//>
      <//>
      <${Card.Body} pt=${0}>
        ${composed?.http
          ? html`<${Sent} composed=${composed} />`
          : html`<${Problems} problems=${problems} isKnown=${Boolean(composed)} />`}
      <//>
    <//>
  `;
}

function State({ composed, problems, isStale }) {
  if (!composed || isStale) return html`<${Badge}>checking …<//>`;
  if (composed.http) return html`<${Badge} colorPalette="green">ready<//>`;
  const wrong = problems.filter((one) => !isMissing(one)).length;
  const missing = problems.length - wrong;
  return html`<${HStack}>
    ${wrong > 0 && html`<${Badge} colorPalette="red">${wrong} to correct<//>`}
    ${missing > 0 && html`<${Badge} colorPalette="orange">${missing} to fill in<//>`}
  <//>`;
}

function Problems({ problems, isKnown }) {
  if (!isKnown) return null;
  return html`
    <${Stack} as="ul" gap=${1} listStyleType="none">
      ${problems.map(
        (one) => html`<${Text} as="li" key=${one.field + one.code} fontSize="sm" overflowWrap="anywhere">
          <code>${one.field}</code> <${Text} as="span" color="fg.muted">${one.message}<//>
        <//>`,
      )}
    <//>
  `;
}

function Sent({ composed }) {
  const { http, curl, request } = composed;
  return html`
    <${Tabs.Root} defaultValue="http" size="sm" variant="line" lazyMount>
      <${Tabs.List}>
        <${Tabs.Trigger} value="http">HTTP<//>
        <${Tabs.Trigger} value="form">${request.method === "GET" ? "Query" : "Form"}<//>
        <${Tabs.Trigger} value="curl">curl<//>
      <//>
      <${Tabs.Content} value="http"><${Copyable} text=${http} label="The request as HTTP" wraps /><//>
      <${Tabs.Content} value="form"><${Pairs} pairs=${request.form} /><//>
      <${Tabs.Content} value="curl"><${Copyable} text=${curl} label="The request as curl" /><//>
    <//>
  `;
}

/** Code with a button that copies it. */
export function Copyable({ text, label, wraps }) {
  return html`
    <${Box} position="relative">
      <${CodeBox}
        text=${text}
        label=${label}
        ...${wraps && { whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}
        pr=${{ base: 3, md: 20 }}
      />
      <${Box} position=${{ base: "static", md: "absolute" }} top=${2} right=${2} mt=${{ base: 2, md: 0 }}>
        <${CopyButton} text=${text} />
      <//>
    <//>
  `;
}

export function Pairs({ pairs, names = ["Name", "Value"] }) {
  if (pairs.length === 0) return html`<${Text} color="fg.muted" fontSize="sm">Nothing.<//>`;
  return html`
    <${Box} overflowX="auto">
      <${Table.Root} size="sm">
        <${Table.Header}>
          <${Table.Row}>${names.map((one) => html`<${Table.ColumnHeader} key=${one}>${one}<//>`)}<//>
        <//>
        <${Table.Body}>
          ${pairs.map(
            ([name, value]) => html`<${Table.Row} key=${name}>
              <${Table.Cell} fontFamily="mono" fontSize="xs" overflowWrap="anywhere" minW="9rem">${name}<//>
              <${Table.Cell} fontFamily="mono" fontSize="xs" overflowWrap="anywhere" minW="9rem">${value}<//>
            <//>`,
          )}
        <//>
      <//>
    <//>
  `;
}

const COPIES = [
  ["operator", "Operator", "No operator makes this call: copy it as @task."],
  ["task", "@task", ""],
  ["yaml", "YAML mapping", "An extract is mapped to reports only: this call has no mapping."],
  ["cli", "Command line", ""],
];

export function Copies({ composed }) {
  if (!composed?.copy) return null;
  return html`
    <${Card.Root} size="sm" as="section" aria-label="Copy as">
      <${Card.Header} pb=${2}><${Box} as="h2" fontWeight="semibold">Copy as<//><//>
      <${Card.Body} pt=${0}>
        <${Tabs.Root} defaultValue="operator" size="sm" variant="line" lazyMount>
          <${Tabs.List} flexWrap="wrap">
            ${COPIES.map(([kind, label]) => html`<${Tabs.Trigger} key=${kind} value=${kind}>${label}<//>`)}
          <//>
          ${COPIES.map(
            ([kind, label, none]) => html`<${Tabs.Content} key=${kind} value=${kind}>
              ${composed.copy[kind]
                ? html`<${Copyable} text=${composed.copy[kind]} label=${label} />`
                : html`<${Text} fontSize="sm" color="fg.muted">${none}<//>`}
            <//>`,
          )}
        <//>
      <//>
    <//>
  `;
}
