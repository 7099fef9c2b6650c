// One payment: where it stands and what comes next, what it was before, its record live, and what a person may decide.

import { Loading, Note, ProblemBox, formatMoney, formatTime, html, useQuery } from "../ui.js";
import { LiveRecord } from "./live.js";
import { PlaceLink, paymentPath } from "./place.js";
import { AskForReplay } from "./replay.js";
import { Resolve } from "./resolve.js";
import { Facts, Item, Part } from "./table.js";
import { LogLink } from "./task.js";
import { Id, StateBadge, shortName } from "./words.js";

const { useState } = globalThis.React;
const { Box, Button, HStack, Stack, Text } = globalThis.ChakraUI;

export function PaymentPage({ place, me }) {
  const payment = useQuery(paymentPath("payment", place));
  if (payment.problem && !payment.data) return html`<${ProblemBox} problem=${payment.problem} onRetry=${payment.reload} />`;
  if (!payment.data) return html`<${Loading} label="Loading the payment" />`;
  const { entry, history, run, may, connections } = payment.data;
  return html`
    <${Box}>
      <${HStack} gap=${3} wrap="wrap">
        <${Text} as="h2" fontSize="xl" fontWeight="bold" overflowWrap="anywhere">${entry.key}<//>
        <${StateBadge} state=${entry.state} size="md" />
      <//>
      ${payment.problem && html`<${ProblemBox} problem=${payment.problem} onRetry=${payment.reload} />`}
      ${entry.next_step && html`<${Note} status=${noteOf(entry.state)} title="Next step" mt=${4}>${entry.next_step}<//>`}
      <${Decide} place=${place} entry=${entry} may=${may} me=${me} connections=${connections} onDone=${payment.reload} />
      <${Part} title="What the ledger knows"><${Known} entry=${entry} run=${run} me=${me} /><//>
      <${Part} title="What became of it"><${History} versions=${[entry, ...history]} currencies=${me.currencies} /><//>
      <${Part} title="At the API, now">
        ${entry.payment_record
          ? html`<${LiveRecord} key=${entry.updated_at} place=${place} currencies=${me.currencies} />`
          : html`<${Text} color="fg.muted">No record of it is known. Once it is confirmed, its record is fetched here.<//>`}
      <//>
    <//>
  `;
}

const noteOf = (state) => (["review", "unknown", "rejected"].includes(state) ? "warning" : "info");

function Decide({ place, entry, may, me, connections, onDone }) {
  const [isAsking, setIsAsking] = useState(false);
  if (!me.may.decide) {
    return may.replay || ["review", "unknown"].includes(entry.state)
      ? html`<${Text} color="fg.muted" mt=${3}>Your role may not decide about it (Op or above may).<//>`
      : null;
  }
  if (!connections.includes(place.connection) && entry.state !== "confirmed") {
    return html`
      <${Note} status="info" title="Decide with a connection of its account" mt=${3}>
        ${connections.length
          ? `Choose ${connections.join(" or ")} above.`
          : `No connection is of account ${entry.account} in ${entry.mode} mode.`}
      <//>
    `;
  }
  const { account, mode, endpoint, source, key } = entry;
  const body = { connection: place.connection, account, mode, endpoint, source, key };
  return html`
    <${Stack} gap=${3} mt=${4}>
      ${may.replay &&
      html`<${Box}><${Button} size="sm" variant="outline" onClick=${() => setIsAsking(true)}>Send again …<//><//>`}
      <${AskForReplay} body=${body} isOpen=${isAsking} onClose=${() => setIsAsking(false)} onDone=${onDone}>
        The API refused <${Id}>${key}<//>. Ask for it again if the reason is gone; if the row itself was wrong, correct it
        in the extract instead: changed content is sent without asking.
      <//>
      <${Resolve} connection=${place.connection} entry=${entry} may=${may} onDone=${onDone} />
    <//>
  `;
}

function Known({ entry, run, me }) {
  return html`
    <${Facts}>
      <${Item} label="Amount">
        ${entry.currency ? formatMoney(entry.amount_minor, entry.currency, me.currencies) : "–"}
      <//>
      <${Item} label="Source">${entry.source}<//>
      <${Item} label="Call"><${Id}>${entry.endpoint}<//><//>
      <${Item} label="Account">${entry.account}, ${entry.mode} mode<//>
      <${Item} label="Record">${entry.payment_record ? html`<${Id}>${entry.payment_record}<//>` : "–"}<//>
      <${Item} label="Idempotency key"><${Id}>${entry.idempotency_key}<//><//>
      <${Item} label="First seen">${formatTime(entry.created_at)}<//>
      <${Item} label="Changed">${formatTime(entry.updated_at)}<//>
      <${Item} label="Run">
        ${run
          ? html`
              <${HStack} gap=${3} wrap="wrap">
                <${PlaceLink} to=${{ run: run.run_id }}>${shortName(run.extract)}<//><${LogLink} startedBy=${run.started_by} />
              <//>
            `
          : (entry.run_id ?? "–")}
      <//>
    <//>
  `;
}

function History({ versions, currencies }) {
  return html`
    <${Stack} as="ol" listStyleType="none" gap=${0} aria-label="Newest first">
      ${versions.map((version, index) => html`<${Version} key=${`${version.updated_at} ${version.state}`} ...${{ version, index, currencies }} />`)}
    <//>
    ${versions.length === 1 &&
    html`<${Text} color="fg.muted" fontSize="sm">No earlier version was kept: it went the ordinary way.<//>`}
  `;
}

function Version({ version, index, currencies }) {
  return html`
    <${Box} as="li" borderStartWidth="2px" borderColor=${index ? "border" : "fg.info"} ps=${4} pb=${4}>
      <${HStack} gap=${3} wrap="wrap">
        <${StateBadge} state=${version.state} />
        <${Text} fontSize="sm">${formatTime(version.updated_at)}<//>
        ${index === 0 && html`<${Text} fontSize="sm" color="fg.muted">as it stands<//>`}
      <//>
      <${Text} fontSize="sm" color="fg.muted" mt=${1} overflowWrap="anywhere">
        ${[
          version.error_code && `${version.error_code}${version.error_status ? ` (${version.error_status})` : ""}`,
          version.error_param && `at ${version.error_param}`,
          version.currency && formatMoney(version.amount_minor, version.currency, currencies),
          version.request_id && `request ${version.request_id}`,
          version.payment_record && `record ${version.payment_record}`,
          `key ${version.idempotency_key}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      <//>
      ${version.run_id && html`<${PlaceLink} to=${{ run: version.run_id }} fontSize="sm">${version.run_id}<//>`}
    <//>
  `;
}
