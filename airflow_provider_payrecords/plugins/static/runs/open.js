// All payments of the ledger that wait: for a person, for the next run, or for a correction.

import { html } from "../ui.js";
import { PagedEntries } from "./entries.js";
import { query } from "./place.js";

const { Box, HStack, NativeSelect, Text } = globalThis.ChakraUI;

const CHOICES = [
  ["", "unknown and review", "A person decides about review; the next run takes up what is unknown."],
  ["review", "review", "A person decides about these."],
  ["unknown", "unknown", "No answer was read. The next run sends the same idempotency key, or finds the record."],
  ["rejected", "rejected", "The API refused these. Correct the row, or ask to send it again."],
  ["planned", "planned", "Nothing of these has happened at the API. The next run that has their rows sends them."],
];

export function OpenPage({ connection, state = "", go, currencies }) {
  const about = CHOICES.find(([name]) => name === state)?.[2];
  return html`
    <${Box}>
      <${HStack} gap=${4} mb=${4} wrap="wrap">
        <${Text} as="h2" fontSize="xl" fontWeight="bold">Open payments<//>
        <${NativeSelect.Root} size="sm" w="14rem">
          <${NativeSelect.Field}
            aria-label="State"
            value=${state}
            onChange=${(event) => go({ view: "open", state: event.target.value })}
          >
            ${CHOICES.map(([name, label]) => html`<option key=${name} value=${name}>${label}</option>`)}
          <//>
          <${NativeSelect.Indicator} />
        <//>
      <//>
      <${Text} color="fg.muted" mb=${3}>${about}<//>
      <${PagedEntries}
        key=${state}
        pathOf=${(after) => query("open", { connection, state: state || undefined, after })}
        currencies=${currencies}
        empty="Nothing of this kind is open."
      />
    <//>
  `;
}
