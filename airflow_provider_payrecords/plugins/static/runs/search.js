// Finding a payment by what a person knows of it.

import { Loading, Note, ProblemBox, html, useQuery } from "../ui.js";
import { Entries } from "./entries.js";
import { query } from "./place.js";

const { useEffect, useState } = globalThis.React;
const { Box, Button, Field, HStack, Input, Stack, Text } = globalThis.ChakraUI;

export function SearchBox({ text, go }) {
  const [typed, setTyped] = useState(text ?? "");
  useEffect(() => setTyped(text ?? ""), [text]);
  const search = (event) => {
    event.preventDefault();
    if (typed.trim()) go({ text: typed.trim() });
  };
  return html`
    <${Box} as="form" role="search" onSubmit=${search} flex="1" minW="15rem">
      <${Field.Root}>
        <${Field.Label} fontSize="sm">Find a payment<//>
        <${HStack} w="full">
          <${Input}
            type="search"
            size="sm"
            value=${typed}
            onChange=${(event) => setTyped(event.target.value)}
            placeholder="Key, reference, pr_… or par_…"
            maxLength=${500}
          />
          <${Button} type="submit" size="sm" variant="outline">Find<//>
        <//>
      <//>
    <//>
  `;
}

export function Found({ connection, text, currencies }) {
  const found = useQuery(query("search", { connection, text }));
  if (found.problem) return html`<${ProblemBox} problem=${found.problem} onRetry=${found.reload} />`;
  if (!found.data || found.isLoading) return html`<${Loading} label="Searching" />`;
  const { entries, more, asked_api, problem } = found.data;
  return html`
    <${Stack} gap=${4}>
      <${Text} as="h2" fontSize="xl" fontWeight="bold" overflowWrap="anywhere">Payments found for “${text}”<//>
      ${problem && html`<${ProblemBox} problem=${problem} onRetry=${found.reload} />`}
      <${Entries} entries=${entries} currencies=${currencies} empty="No payment of this ledger has this key." />
      ${more && html`<${Text} color="fg.muted">There are more: type more of the key.<//>`}
      ${!entries.length && !asked_api && html`<${WhereToLook} />`}
    <//>
  `;
}

function WhereToLook() {
  return html`
    <${Note} status="info" title="What is searched">
      Keys, whole or from their beginning, in every account and source of this ledger. The key is what the mapping names;
      of a single call it is the payment’s reference, unless key= says otherwise. A reference that is no key is not in the
      ledger: find it in the Dashboard, and search here for the record’s id.
    <//>
  `;
}
