// The page of runs: what happened to every payment.

import { Loading, Note, Page, ProblemBox, html, useQuery } from "./ui.js";
import { RunList } from "./runs/list.js";
import { OpenPage } from "./runs/open.js";
import { PaymentPage } from "./runs/payment.js";
import { PlaceLink, isPayment, usePlace } from "./runs/place.js";
import { RunPage } from "./runs/run.js";
import { Found, SearchBox } from "./runs/search.js";

const { Box, Field, HStack, NativeSelect, Text } = globalThis.ChakraUI;

function PaymentRuns() {
  return html`
    <${Page} title="Payment runs" about="What happened to every payment, as the ledger knows it.">
      ${(me) => html`<${WithConnection} me=${me} />`}
    <//>
  `;
}

function WithConnection({ me }) {
  const connections = useQuery("connections");
  const { place, go } = usePlace();
  if (connections.problem) return html`<${ProblemBox} problem=${connections.problem} onRetry=${connections.reload} />`;
  if (!connections.data) return html`<${Loading} label="Loading connections" />`;
  if (!connections.data.length) {
    return html`
      <${Note} status="info" title="There is no connection yet">
        Make one of type “Stripe Payment Records” under Admin → Connections; its ledger is shown here.
      <//>
    `;
  }
  const connection = place.connection ?? firstOf(connections.data);
  const here = { ...place, connection };
  return html`
    <${Box}>
      <${HStack} gap=${4} wrap="wrap" align="end" mb=${4}>
        <${ConnectionChoice} connections=${connections.data} chosen=${connection} choose=${(id) => go({ connection: id })} />
        <${SearchBox} text=${place.text} go=${go} />
      <//>
      <${Trail} place=${here} />
      <${Shown} key=${connection} place=${here} go=${go} me=${me} />
    <//>
  `;
}

const firstOf = (connections) =>
  (connections.find((one) => one.id === "payrecords_default") ?? connections.find((one) => !one.problem) ?? connections[0]).id;

function ConnectionChoice({ connections, chosen, choose }) {
  const isListed = connections.some((one) => one.id === chosen);
  return html`
    <${Field.Root} w="auto" minW="15rem" flexShrink=${1}>
      <${Field.Label} fontSize="sm">Ledger of the connection<//>
      <${NativeSelect.Root} size="sm">
        <${NativeSelect.Field} value=${chosen} onChange=${(event) => choose(event.target.value)}>
          ${!isListed && html`<option value=${chosen}>${chosen}</option>`}
          ${connections.map((one) => html`<option key=${one.id} value=${one.id}>${one.id}${one.mode ? ` (${one.mode})` : ""}</option>`)}
        <//>
        <${NativeSelect.Indicator} />
      <//>
    <//>
  `;
}

/** The ways to the lists, and to the run that a payment was opened from. */
function Trail({ place }) {
  return html`
    <${HStack} as="nav" aria-label="Payment runs" gap=${4} mb=${5} wrap="wrap" borderBottomWidth="1px" pb=${2}>
      <${Way} to=${{}} isHere=${!place.view && !place.run && !place.text && !isPayment(place)}>Runs<//>
      <${Way} to=${{ view: "open" }} isHere=${place.view === "open"}>Open payments<//>
      ${place.run && isPayment(place) && html`<${Way} to=${{ run: place.run }}>Back to the run<//>`}
    <//>
  `;
}

function Way({ to, isHere, children }) {
  return html`
    <${PlaceLink}
      to=${to}
      aria-current=${isHere ? "page" : undefined}
      fontWeight=${isHere ? "bold" : "normal"}
      textDecoration=${isHere ? "none" : "underline"}
      color=${isHere ? "fg" : "fg.info"}
    >
      ${children}
    <//>
  `;
}

function Shown({ place, go, me }) {
  const { connection, run, text, view, state } = place;
  if (isPayment(place)) return html`<${PaymentPage} key=${JSON.stringify(place)} place=${place} me=${me} />`;
  if (run) return html`<${RunPage} key=${run} connection=${connection} runId=${run} me=${me} />`;
  if (text) return html`<${Found} key=${text} connection=${connection} text=${text} currencies=${me.currencies} />`;
  if (view === "open") return html`<${OpenPage} connection=${connection} state=${state} go=${go} currencies=${me.currencies} />`;
  return html`<${RunList} connection=${connection} currencies=${me.currencies} />`;
}

globalThis["Payment runs"] = PaymentRuns;
