// One run: how far it is, what it did over time, why rows were not confirmed, and which payments those are.

import { CopyButton, Loading, ModeBadge, Note, ProblemBox, address, formatCount, formatMoney, formatTime, html, useQuery } from "../ui.js";
import { Timeline } from "./chart.js";
import { PagedEntries } from "./entries.js";
import { query } from "./place.js";
import { Reasons } from "./reasons.js";
import { Facts, Item, Nothing, Part } from "./table.js";
import { LogLink } from "./task.js";
import { Id, STATES, StateBadge, durationOf, formatSeconds, kindOf, shortName, statesOf, useIsVisible } from "./words.js";

const { useEffect, useState } = globalThis.React;
const { Box, Button, HStack, NativeSelect, Progress, SimpleGrid, Table, Text } = globalThis.ChakraUI;

const POLL_SECONDS = 2;
const NOTABLE = ["rejected", "unknown", "review", "planned"];

export function RunPage({ connection, runId, me }) {
  const isVisible = useIsVisible();
  const [isLive, setIsLive] = useState(true);
  const poll = { everySeconds: isLive && isVisible ? POLL_SECONDS : 0 };
  const path = `runs/${encodeURIComponent(runId)}`;
  const run = useQuery(query(path, { connection }), poll);
  const progress = useQuery(query(`${path}/progress`, { connection }), poll);
  const reasons = useQuery(query(`${path}/reasons`, { connection }), poll);
  const state = run.data?.state;
  useEffect(() => {
    setIsLive(state === undefined || state === "running" || state === "silent");
    if (state === "finished" || state === "stopped") for (const one of [progress, reasons]) one.reload();
  }, [state, runId]);

  if (run.problem && !run.data) return html`<${ProblemBox} problem=${run.problem} onRetry=${run.reload} />`;
  if (!run.data) return html`<${Loading} label="Loading the run" />`;
  const shared = { connection, run: run.data, me };
  return html`
    <${Box}>
      <${Head} ...${shared} isLive=${isLive && isVisible} />
      ${run.problem && html`<${ProblemBox} problem=${run.problem} onRetry=${run.reload} />`}
      <${HowItEnded} run=${run.data} />
      <${Numbers} run=${run.data} throttled=${progress.data?.throttled.at(-1)} />
      <${SimpleGrid} columns=${{ base: 1, lg: 2 }} columnGap=${8}>
        <${Part} title="About this run"><${About} run=${run.data} /><//>
        <${MoneyTable} money=${run.data.money} currencies=${me.currencies} />
      <//>
      <${Part} title="Over time">
        ${progress.problem && html`<${ProblemBox} problem=${progress.problem} onRetry=${progress.reload} />`}
        ${progress.data && html`<${Timeline} progress=${progress.data} run=${run.data} />`}
      <//>
      <${Part} title="Why rows are not confirmed">
        ${reasons.problem && html`<${ProblemBox} problem=${reasons.problem} onRetry=${reasons.reload} />`}
        ${reasons.data && html`<${Reasons} ...${shared} reasons=${reasons.data} />`}
      <//>
      <${RunEntries} ...${shared} path=${path} />
    <//>
  `;
}

function Head({ connection, run, isLive }) {
  const exported = (confirmed) =>
    address(`payrecords/api/${query(`runs/${encodeURIComponent(run.run_id)}/export.csv`, { connection, confirmed })}`);
  return html`
    <${HStack} gap=${3} wrap="wrap" align="center">
      <${Text} as="h2" fontSize="xl" fontWeight="bold" overflowWrap="anywhere">${shortName(run.extract)}<//>
      <${StateBadge} state=${run.state} size="md" />
      <${ModeBadge} mode=${run.mode} />
      ${isLive && run.state === "running" && html`<${Text} color="fg.muted" fontSize="sm" role="status">refreshes by itself<//>`}
    <//>
    <${HStack} gap=${2} wrap="wrap" mt=${2}>
      <${Id}>${run.run_id}<//><${CopyButton} text=${run.run_id} label="Copy the id" />
    <//>
    <${HStack} gap=${2} wrap="wrap" mt=${3}>
      <${LogLink} startedBy=${run.started_by} />
      <${Button} asChild size="sm" variant="outline">
        <a href=${exported(false)} download>Export what is not confirmed (CSV)</a>
      <//>
      <${Button} asChild size="sm" variant="outline">
        <a href=${exported(true)} download>Export all (CSV)</a>
      <//>
    <//>
  `;
}

function About({ run }) {
  return html`
    <${Facts}>
      <${Item} label="What">${kindOf(run)} of ${run.extract}<//>
      <${Item} label="Source">${run.source}<//>
      <${Item} label="Call"><${Id}>${run.endpoint}<//><//>
      <${Item} label="Account">${run.account}, ${run.mode} mode<//>
      <${Item} label="Started">${formatTime(run.started_at)}<//>
      <${Item} label="Ended">${formatTime(run.finished_at)}<//>
      ${run.results_path && html`<${Item} label="Results"><${Id}>${run.results_path}<//><//>`}
      ${run.missing?.length > 0 && html`<${Item} label="Not in the extract">${run.missing.join(", ")}<//>`}
    <//>
  `;
}

function HowItEnded({ run }) {
  if (run.state === "silent") {
    return html`
      <${Note} status="warning" title="Nothing was heard of this run for a while" mt=${4}>
        ${run.heard_at ? `The last time was ${formatTime(run.heard_at)}.` : "It never said how far it was."} Its process was
        killed, or it cannot reach the ledger. Clear the task or run the extract again: what is confirmed is not sent
        again, and what may have been sent goes under the same idempotency key.
      <//>
    `;
  }
  if (run.state !== "stopped") return null;
  return html`
    <${Note} status="warning" title=${run.by_rule ? "A rule stopped this run" : "This run ended early"} mt=${4}>
      ${run.stop_reason} ${run.fatal ? "Mend that first; then run it again." : "Run it again to go on."}
    <//>
  `;
}

function Numbers({ run, throttled }) {
  const seconds = durationOf(run);
  const known = [
    ...statesOf(run.counts).map((state) => [state, formatCount(run.counts[state]), `${STATES[state]}.fg`]),
    ["requests", run.requests === null ? null : formatCount(run.requests)],
    ["throttled (429)", throttled === undefined ? null : formatCount(throttled)],
    ["took", seconds === null ? null : formatSeconds(seconds)],
    ["requests a second", run.requests && seconds ? (run.requests / seconds).toFixed(1) : null],
    ["allowed a second", run.state === "running" && run.rate ? run.rate.toFixed(1) : null],
  ].filter(([, value]) => value !== null);
  return html`
    <${SimpleGrid} as="dl" columns=${{ base: 2, sm: 3, lg: 6 }} gap=${3} mt=${5}>
      ${known.map(
        ([name, value, color]) => html`
          <${Box} key=${name} borderWidth="1px" rounded="md" px=${3} py=${2}>
            <${Text} as="dt" color="fg.muted" fontSize="sm">${name}<//>
            <${Text} as="dd" fontSize="xl" fontWeight="semibold" color=${color} fontVariantNumeric="tabular-nums">${value}<//>
          <//>
        `,
      )}
    <//>
    ${run.state === "running" && run.total_rows && html`<${HowFar} done=${run.rows} total=${run.total_rows} />`}
  `;
}

function HowFar({ done, total }) {
  return html`
    <${Progress.Root} value=${done} max=${total} mt=${4} colorPalette="blue">
      <${HStack} gap=${3}>
        <${Progress.Label} fontSize="sm">Rows<//>
        <${Progress.Track} flex="1"><${Progress.Range} /><//>
        <${Text} fontSize="sm">${formatCount(done)} of ${formatCount(total)}<//>
      <//>
    <//>
  `;
}

function MoneyTable({ money, currencies }) {
  const names = Object.keys(money).sort();
  if (!names.length) return null;
  const states = Object.keys(STATES).filter((state) => names.some((name) => money[name][state]));
  return html`
    <${Part} title="Money by currency">
      <${Table.ScrollArea} borderWidth="1px" rounded="md" w="fit-content" maxW="full">
        <${Table.Root} size="sm" aria-label="Money by currency">
          <${Table.Header}>
            <${Table.Row} bg="bg.subtle">
              <${Table.ColumnHeader} scope="col">currency<//>
              ${states.map((state) => html`<${Table.ColumnHeader} key=${state} scope="col" textAlign="end">${state}<//>`)}
            <//>
          <//>
          <${Table.Body}>
            ${names.map(
              (name) => html`
                <${Table.Row} key=${name}>
                  <${Table.Cell} as="th" scope="row" fontWeight="medium">${name.toUpperCase()}<//>
                  ${states.map(
                    (state) => html`
                      <${Table.Cell} key=${state} textAlign="end" whiteSpace="nowrap" fontVariantNumeric="tabular-nums">
                        ${money[name][state] ? formatMoney(money[name][state], name, currencies) : "–"}
                      <//>
                    `,
                  )}
                <//>
              `,
            )}
          <//>
        <//>
      <//>
    <//>
  `;
}

function RunEntries({ connection, run, me, path }) {
  const [state, setState] = useState("");
  const choice = html`
    <${NativeSelect.Root} size="sm" w="12rem">
      <${NativeSelect.Field} aria-label="State" value=${state} onChange=${(event) => setState(event.target.value)}>
        <option value="">all of these</option>
        ${NOTABLE.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      <//>
      <${NativeSelect.Indicator} />
    <//>
  `;
  return html`
    <${Part} title="Its payments that are not confirmed" side=${choice}>
      ${run.state === "running" && html`<${Nothing}>The run goes on; this list is of what it has settled so far.<//>`}
      <${PagedEntries}
        key=${`${state} ${run.state}`}
        pathOf=${(after) => query(`${path}/entries`, { connection, state: state || undefined, after })}
        currencies=${me.currencies}
        run=${run.run_id}
        empty="None. Rows that our own checks refused, and rows that an earlier run settled, are not among these."
      />
    <//>
  `;
}
