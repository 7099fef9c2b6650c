// Payments, a page at a time: those of a run, those that are open, those that were found.

import { Loading, ProblemBox, call, formatMoney, html, useOnce, useQuery } from "../ui.js";
import { PlaceLink, placeOfPayment } from "./place.js";
import { Nothing, Rows } from "./table.js";
import { Id, StateBadge, When } from "./words.js";

const { useEffect, useState } = globalThis.React;
const { Box, Button, Text } = globalThis.ChakraUI;

/** A list that our API gives in pages of {entries, after}. *pathOf* returns the path of the page after *after*. */
export function PagedEntries({ pathOf, currencies, run, empty, everySeconds }) {
  const path = pathOf(undefined);
  const first = useQuery(path, { everySeconds });
  const [pages, setPages] = useState([]);
  const [problem, setProblem] = useState();
  useEffect(() => setPages([]), [path]);
  const after = pages.length ? pages.at(-1).after : first.data?.after;
  const [more, isLoadingMore] = useOnce(async () => {
    setProblem(undefined);
    try {
      const page = await call("GET", pathOf(after));
      setPages((before) => [...before, page]);
    } catch (error) {
      setProblem(error);
    }
  });
  if (first.problem) return html`<${ProblemBox} problem=${first.problem} onRetry=${first.reload} />`;
  if (!first.data) return html`<${Loading} label="Loading payments" />`;
  const entries = [...first.data.entries, ...pages.flatMap((page) => page.entries)];
  return html`
    <${Box}>
      <${Entries} entries=${entries} currencies=${currencies} run=${run} empty=${empty} />
      ${after && html`<${Button} mt=${3} size="sm" variant="outline" loading=${isLoadingMore} onClick=${more}>More<//>`}
      ${problem && html`<${ProblemBox} problem=${problem} onRetry=${more} />`}
    <//>
  `;
}

export function Entries({ entries, currencies, run, empty = "None." }) {
  if (!entries.length) return html`<${Nothing}>${empty}<//>`;
  return html`
    <${Rows}
      label="Payments"
      columns=${columnsFor(currencies, run)}
      rows=${entries}
      keyOf=${(entry) => [entry.account, entry.mode, entry.endpoint, entry.source, entry.key].join("\n")}
    />
  `;
}

const columnsFor = (currencies, run) => [
  {
    name: "Payment",
    show: (entry) => html`
      <${PlaceLink} to=${placeOfPayment(entry, run)}>${entry.key}<//>
      <${Text} color="fg.muted" fontSize="xs" overflowWrap="anywhere">${entry.source}, ${entry.endpoint}<//>
    `,
  },
  { name: "State", show: (entry) => html`<${StateBadge} state=${entry.state} />` },
  {
    name: "Amount",
    end: true,
    show: (entry) =>
      entry.currency ? html`<${Text} whiteSpace="nowrap">${formatMoney(entry.amount_minor, entry.currency, currencies)}<//>` : "–",
  },
  { name: "Reason", show: (entry) => html`<${Reason} entry=${entry} />` },
  { name: "Since", show: (entry) => html`<${When} at=${entry.updated_at} />` },
  {
    name: "Record or next step",
    show: (entry) =>
      entry.next_step
        ? html`<${Text} fontSize="sm" maxW="34rem" whiteSpace="normal">${entry.next_step}<//>`
        : html`<${Id}>${entry.payment_record}<//>`,
  },
];

function Reason({ entry }) {
  if (!entry.error_code) return "–";
  return html`
    <${Box} minW="8rem"><${Id}>${entry.error_code}<//><//>
    ${entry.error_param && html`<${Text} fontSize="xs" color="fg.muted" overflowWrap="anywhere">${entry.error_param}<//>`}
  `;
}
