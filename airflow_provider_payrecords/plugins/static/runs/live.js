// The payment's record and attempts as the API has them now.

import { Loading, Note, ProblemBox, formatMoney, formatTime, html, useQuery } from "../ui.js";
import { paymentPath } from "./place.js";
import { Facts, Item, Rows } from "./table.js";
import { Id, When } from "./words.js";

const { Box, Button, HStack, Link, Stack, Text } = globalThis.ChakraUI;

export function LiveRecord({ place, currencies }) {
  const live = useQuery(paymentPath("payment/live", place));
  if (live.isLoading) return html`<${Loading} label="Asking the API" />`;
  if (live.problem) return html`<${ProblemBox} problem=${live.problem} onRetry=${live.reload} />`;
  const { record, attempts, attempts_problem, differs } = live.data;
  return html`
    <${Stack} gap=${4}>
      ${differs.length > 0 && html`<${Note} status="warning" title="It is not what the ledger expects">${differs.join(" ")}<//>`}
      <${Facts}>
        <${Item} label="Record">
          <${HStack} gap=${3} wrap="wrap">
            <${Id}>${record.id}<//>
            <${Link} href=${record.url} target="_blank" rel="noopener noreferrer" color="fg.info" textDecoration="underline">
              Open in the Dashboard
            <//>
          <//>
        <//>
        <${Item} label="State">${record.state.replaceAll("_", " ")}<//>
        <${Item} label="Amounts"><${Amounts} amounts=${record.amounts} currencies=${currencies} /><//>
        <${Item} label="Created">${formatTime(record.created)}<//>
        <${Item} label="Method">${record.method ?? "–"}<//>
        <${Item} label="Reference">${record.reference ?? "–"}<//>
        <${Item} label="Metadata"><${Metadata} metadata=${record.metadata} /><//>
      <//>
      <${Text} as="h4" fontWeight="semibold">Attempts<//>
      ${attempts_problem
        ? html`<${ProblemBox} problem=${attempts_problem} onRetry=${live.reload} />`
        : html`<${Rows} label="Attempts" columns=${columnsFor(currencies)} rows=${attempts} keyOf=${(one) => one.id} />`}
      <${Box}>
        <${Button} size="xs" variant="outline" onClick=${live.reload}>Ask again<//>
        <${Text} as="span" color="fg.muted" fontSize="sm" ml=${3}>Customers’ details are not shown here; the Dashboard has them.<//>
      <//>
    <//>
  `;
}

const columnsFor = (currencies) => [
  { name: "Attempt", show: (attempt) => html`<${Id}>${attempt.id}<//>` },
  { name: "State", show: (attempt) => attempt.state.replaceAll("_", " ") },
  { name: "Reported", show: (attempt) => html`<${When} at=${attempt.created} />` },
  { name: "Amounts", show: (attempt) => html`<${Amounts} amounts=${attempt.amounts} currencies=${currencies} />` },
  { name: "Reference", show: (attempt) => attempt.reference ?? "–" },
];

function Amounts({ amounts, currencies }) {
  return Object.entries(amounts).map(
    ([name, money]) => html`
      <${Text} key=${name} fontVariantNumeric="tabular-nums">
        ${formatMoney(money.amount_minor, money.currency, currencies)}
        <${Text} as="span" color="fg.muted"> ${name}<//>
      <//>
    `,
  );
}

function Metadata({ metadata }) {
  const names = Object.keys(metadata).sort();
  if (!names.length) return "–";
  return names.map((name) => html`<${Text} key=${name}><${Id}>${name}<//> ${metadata[name]}<//>`);
}
