// Rejects, unknown and review of a run by reason, with row numbers; and what can be done about each.

import { formatCount, html } from "../ui.js";
import { AskForReplay } from "./replay.js";
import { Nothing, Rows } from "./table.js";
import { Id, StateBadge, joinRows } from "./words.js";

const { useState } = globalThis.React;
const { Box, Button, Text } = globalThis.ChakraUI;

const MAX_SPANS = 60;

export function Reasons({ reasons, connection, run, me }) {
  const [asked, setAsked] = useState(null);
  if (!reasons.length) return html`<${Nothing}>Every row so far is confirmed.<//>`;
  return html`
    <${Rows}
      label="Reasons"
      columns=${columnsFor(me, setAsked)}
      rows=${reasons}
      keyOf=${(reason) => `${reason.state} ${reason.code} ${reason.param}`}
    />
    ${!me.may.decide &&
    html`<${Text} color="fg.muted" fontSize="sm" mt=${2}>Your role may not ask for replays (Op or above may).<//>`}
    <${AskForReplay}
      isOpen=${asked !== null}
      onClose=${() => setAsked(null)}
      body=${asked && {
        connection,
        account: run.account,
        mode: run.mode,
        endpoint: run.endpoint,
        source: run.source,
        code: asked.code ?? undefined,
        param: asked.param ?? undefined,
        of_run: asked.replay === "run" ? run.run_id : undefined,
      }}
    >
      What the API refused ${asked?.replay === "run" ? "in this run" : `of source ${run.source}, in whichever run,`} with
      ${" "}<${Id}>${asked?.code}<//>${asked?.param ? html` at <${Id}>${asked.param}<//>` : ""}.
    <//>
  `;
}

const columnsFor = (me, setAsked) => [
  {
    name: "Reason",
    show: (reason) => html`
      <${Box}><${Id}>${reason.code ?? "no code"}<//><//>
      ${reason.param && html`<${Text} fontSize="xs" color="fg.muted" overflowWrap="anywhere">${reason.param}<//>`}
    `,
  },
  { name: "State", show: (reason) => html`<${StateBadge} state=${reason.state} />` },
  { name: "Rows", end: true, show: (reason) => formatCount(reason.rows) },
  { name: "Row numbers", show: (reason) => html`<${RowNumbers} reason=${reason} />` },
  {
    name: "Do",
    show: (reason) => html`<${WhatToDo} reason=${reason} me=${me} onAsk=${() => setAsked(reason)} />`,
  },
];

const TO_DO = {
  rejected: "Correct these rows in the extract: our checks refused them, nothing of them was sent.",
  review: "Look at each of these payments below.",
  unknown: "Run it again: the same idempotency keys are sent.",
  held: "Wait for the other worker, then run it again.",
  planned: "Run it again: these were not sent.",
};

function WhatToDo({ reason, me, onAsk }) {
  if (!reason.replay) return html`<${Text} fontSize="sm" maxW="20rem" whiteSpace="normal">${TO_DO[reason.state] ?? "–"}<//>`;
  if (!me.may.decide) return html`<${Text} fontSize="sm">Ask somebody who may replay them.<//>`;
  return html`<${Button} size="xs" variant="outline" onClick=${onAsk}>Send again …<//>`;
}

function RowNumbers({ reason }) {
  const spans = joinRows(reason.first_rows).split(", ");
  const more = reason.rows - reason.first_rows.length;
  return html`
    <${Text} fontSize="sm" maxW="30rem" whiteSpace="normal" fontVariantNumeric="tabular-nums">
      ${spans.slice(0, MAX_SPANS).join(", ")}${spans.length > MAX_SPANS || more > 0 ? " …" : ""}
      ${more > 0 ? html`<${Text} as="span" color="fg.muted"> and ${formatCount(more)} more<//>` : ""}
    <//>
  `;
}
