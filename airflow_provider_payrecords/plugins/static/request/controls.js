// One control for each kind of field. Each is given its entry and says what it becomes; the server reads it.

import { html } from "../ui.js";

const { useId } = globalThis.React;
const { Box, Button, Flex, HStack, Input, NativeSelect, Stack } = globalThis.ChakraUI;

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const ZONES = [...new Set([OWN_ZONE, "UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])])];

export function Control(props) {
  const Kind = KINDS[props.field.control] ?? TextControl;
  return html`<${Kind} ...${props} />`;
}

function TextControl({ entry, onChange }) {
  return html`<${Input} value=${entry ?? ""} onChange=${(event) => onChange(event.target.value)} autoComplete="off" />`;
}

function IntegerControl({ entry, onChange }) {
  return html`<${Input}
    inputMode="numeric"
    value=${entry ?? ""}
    onChange=${(event) => onChange(event.target.value)}
    autoComplete="off"
  />`;
}

function ChoiceControl({ field, entry, onChange }) {
  return html`
    <${NativeSelect.Root}>
      <${NativeSelect.Field} value=${entry ?? ""} onChange=${(event) => onChange(event.target.value)}>
        <option value="">not set</option>
        ${field.choices.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
      <//>
      <${NativeSelect.Indicator} />
    <//>
  `;
}

function AmountControl({ field, entry, onChange, currencies }) {
  const { amount = "", currency = "" } = entry || {};
  const change = (changed) => onChange({ amount, currency, ...changed });
  return html`
    <${Flex} gap=${2} w="full" direction=${{ base: "column", sm: "row" }}>
      <${Input}
        inputMode="decimal"
        value=${amount}
        placeholder="49.50"
        onChange=${(event) => change({ amount: event.target.value })}
        autoComplete="off"
      />
      <${NativeSelect.Root} w=${{ base: "full", sm: "10rem" }} flexShrink=${0}>
        <${NativeSelect.Field}
          aria-label=${`${field.label}: currency`}
          id=${useId()}
          value=${currency}
          onChange=${(event) => change({ currency: event.target.value })}
        >
          <option value="">currency</option>
          ${Object.keys(currencies)
            .sort()
            .map((one) => html`<option key=${one} value=${one}>${one.toUpperCase()}</option>`)}
        <//>
        <${NativeSelect.Indicator} />
      <//>
    <//>
  `;
}

function TimeControl({ field, entry, onChange }) {
  const { time = "", zone = OWN_ZONE } = entry || {};
  const zones = useId();
  const change = (changed) => onChange({ time, zone, ...changed });
  return html`
    <${Flex} gap=${2} w="full" direction=${{ base: "column", sm: "row" }}>
      <${Input}
        type="datetime-local"
        step="1"
        value=${time}
        onChange=${(event) => change({ time: event.target.value })}
      />
      <${Input}
        aria-label=${`${field.label}: time zone`}
        id=${useId()}
        list=${zones}
        value=${zone}
        onChange=${(event) => change({ zone: event.target.value })}
        w=${{ base: "full", sm: "14rem" }}
        flexShrink=${0}
      />
      <datalist id=${zones}>${ZONES.map((one) => html`<option key=${one} value=${one} />`)}</datalist>
      <${Button} variant="outline" type="button" onClick=${() => change({ time: nowIn(zone) })}>Now<//>
    <//>
  `;
}

function ListControl({ entry, onChange }) {
  const texts = Array.isArray(entry) ? entry : [];
  return html`<${Input}
    value=${texts.join(", ")}
    placeholder="separated by commas"
    onChange=${(event) => onChange(event.target.value.split(/,\s?/))}
    autoComplete="off"
  />`;
}

function MapControl({ field, entry, onChange }) {
  const pairs = Array.isArray(entry) ? entry : [];
  const change = (place, part, text) =>
    onChange(pairs.map((pair, at) => (at === place ? pair.map((one, of) => (of === part ? text : one)) : pair)));
  return html`
    <${Stack} gap=${2} w="full">
      ${pairs.map(
        (pair, place) => html`
          <${HStack} key=${place} gap=${2}>
            ${["name", "value"].map(
              (part, of) => html`<${Input}
                key=${part}
                id=${`${field.path}-${place}-${part}`}
                aria-label=${`${field.label} ${place + 1}: ${part}`}
                placeholder=${part}
                value=${pair[of]}
                onChange=${(event) => change(place, of, event.target.value)}
                autoComplete="off"
              />`,
            )}
            <${Button}
              size="sm"
              variant="ghost"
              aria-label=${`Remove ${field.label} ${place + 1}`}
              onClick=${() => onChange(pairs.filter((_, at) => at !== place))}
              >✕<//
            >
          <//>
        `,
      )}
      <${Box}>
        <${Button} size="xs" variant="outline" onClick=${() => onChange([...pairs, ["", ""]])}>
          Add ${field.label.toLowerCase()}
        <//>
      <//>
    <//>
  `;
}

/** Return the time on a clock in *zone*, as a datetime-local control has it. */
function nowIn(zone) {
  const wanted = { timeZone: zone, dateStyle: "short", timeStyle: "medium" };
  try {
    return new Intl.DateTimeFormat("sv-SE", wanted).format(new Date()).replace(" ", "T"); // Sweden writes ISO 8601
  } catch {
    return "";
  }
}

const KINDS = {
  text: TextControl,
  integer: IntegerControl,
  choice: ChoiceControl,
  amount: AmountControl,
  time: TimeControl,
  list: ListControl,
  map: MapControl,
};
