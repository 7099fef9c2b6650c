// The latest runs of a ledger.

import { Loading, ProblemBox, call, html, useOnce, useQuery } from "../ui.js";
import { PlaceLink, query } from "./place.js";
import { Nothing, Rows } from "./table.js";
import {
  ConfirmedMoney,
  Counts,
  StateBadge,
  When,
  callName,
  durationOf,
  formatSeconds,
  kindOf,
  shortName,
  useIsVisible,
} from "./words.js";

const { useEffect, useState } = globalThis.React;
const { Box, Button, HStack, Text } = globalThis.ChakraUI;

const POLL_SECONDS = 5;

export function RunList({ connection, currencies }) {
  const isVisible = useIsVisible();
  const [isLive, setIsLive] = useState(true);
  const first = useQuery(query("runs", { connection }), { everySeconds: isLive && isVisible ? POLL_SECONDS : 0 });
  const [older, setOlder] = useState([]);
  useEffect(() => setOlder([]), [connection]);
  // The newest run tells whether something may still change here.
  useEffect(() => setIsLive(first.data?.runs.some((run) => run.state === "running") ?? true), [first.data]);

  const [problem, setProblem] = useState();
  const last = older.length ? older.at(-1).before : first.data?.before;
  const [more, isLoadingMore] = useOnce(async () => {
    setProblem(undefined);
    try {
      const page = await call("GET", query("runs", { connection, before: last }));
      setOlder((before) => [...before, page]);
    } catch (error) {
      setProblem(error);
    }
  });

  if (first.problem && !first.data) return html`<${ProblemBox} problem=${first.problem} onRetry=${first.reload} />`;
  if (!first.data) return html`<${Loading} label="Loading runs" />`;
  const runs = [...first.data.runs, ...older.flatMap((page) => page.runs)];
  return html`
    <${Box}>
      ${first.problem && html`<${ProblemBox} problem=${first.problem} onRetry=${first.reload} />`}
      ${runs.length
        ? html`<${Rows} label="Runs" columns=${columnsFor(currencies)} rows=${runs} keyOf=${(run) => run.run_id} />`
        : html`<${Nothing}>Nothing was reported with this ledger yet. Run a DAG that reports payments.<//>`}
      <${HStack} mt=${3} gap=${4} wrap="wrap">
        ${last && html`<${Button} size="sm" variant="outline" loading=${isLoadingMore} onClick=${more}>Older runs<//>`}
        <${Text} color="fg.muted" fontSize="sm" overflowWrap="anywhere">Ledger: ${first.data.ledger}<//>
      <//>
      ${problem && html`<${ProblemBox} problem=${problem} onRetry=${more} />`}
    <//>
  `;
}

const columnsFor = (currencies) => [
  {
    name: "Run",
    show: (run) => html`
      <${PlaceLink} to=${{ run: run.run_id }} title=${run.extract}>${shortName(run.extract)}<//>
      <${Text} color="fg.muted" fontSize="xs">${run.kind === "run" ? callName(run.endpoint) : kindOf(run)}<//>
    `,
  },
  { name: "State", show: (run) => html`<${StateBadge} state=${run.state} />` },
  { name: "Started", show: (run) => html`<${When} at=${run.started_at} />` },
  { name: "Took", end: true, show: (run) => took(run) },
  { name: "Source", show: (run) => html`<${Source} run=${run} />` },
  { name: "Rows", show: (run) => html`<${Counts} counts=${run.counts} />` },
  {
    name: "Confirmed money",
    end: true,
    show: (run) => html`<${ConfirmedMoney} money=${run.money} currencies=${currencies} />`,
  },
];

function took(run) {
  const seconds = durationOf(run);
  return seconds === null ? "–" : formatSeconds(seconds);
}

function Source({ run }) {
  return html`
    <${Text} overflowWrap="anywhere">${run.source}<//>
    <${Text} color="fg.muted" fontSize="xs" overflowWrap="anywhere">${run.account}, ${run.mode}<//>
  `;
}
