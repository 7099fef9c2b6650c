// The form of a call: groups of fields, with the library's own messages beside them.

import { ModeBadge, Note, html } from "../ui.js";
import { Control } from "./controls.js";
import { isMissing, problemsOf } from "./state.js";

const { Badge, Box, Button, Card, Checkbox, Field, HStack, Input, NativeSelect, SimpleGrid, Stack, Text } =
  globalThis.ChakraUI;

export function Form({ form, groups, draft, onChange, connections, composed, showsAll, currencies }) {
  const problems = composed?.problems ?? [];
  const enter = (path, entry) => onChange({ entries: { ...draft.entries, [path]: entry } });
  const touch = (path) => draft.touched[path] || onChange({ touched: { ...draft.touched, [path]: true } });
  const shared = { draft, enter, touch, problems, showsAll, currencies, shown: composed?.shown ?? {} };
  return html`
    <form onSubmit=${(event) => event.preventDefault()} aria-label=${form.label} noValidate>
      <${Stack} gap=${4}>
        <${ConnectionField} connections=${connections} draft=${draft} onChange=${onChange} problems=${problems} />
        ${groups.map((group) => html`<${Group} key=${group.path} group=${group} ...${shared} />`)}
        ${form.method === "POST" &&
        html`<${Naming} draft=${draft} onChange=${onChange} composed=${composed} problems=${problems} />`}
      <//>
    </form>
  `;
}

function ConnectionField({ connections, draft, onChange, problems }) {
  const chosen = connections.find((one) => one.id === draft.connection);
  const said = problemsOf(problems, "connection")[0]?.message ?? chosen?.problem;
  return html`
    <${Card.Root} size="sm">
      <${Card.Body} gap=${3}>
        <${Field.Root} invalid=${Boolean(said)}>
          <${Field.Label}>Connection ${chosen && html`<${ModeBadge} mode=${chosen.mode} />`}<//>
          <${NativeSelect.Root}>
            <${NativeSelect.Field}
              value=${draft.connection}
              onChange=${(event) => onChange({ connection: event.target.value })}
            >
              ${connections.map(
                (one) => html`<option key=${one.id} value=${one.id}>${one.id} (${one.mode ?? "unusable"})</option>`,
              )}
            <//>
            <${NativeSelect.Indicator} />
          <//>
          ${chosen?.host && html`<${Field.HelperText}>${chosen.host}, account ${chosen.account}<//>`}
          <${Field.ErrorText}>${said}<//>
        <//>
        ${chosen?.mode === "live" &&
        html`<${Note} status="warning" title="This is a live key">What is sent is recorded for real.<//>`}
      <//>
    <//>
  `;
}

const OPENED = { listStyle: "none", "details[open] > & .mark": { transform: "rotate(90deg)" } };

function Group({ group, draft, problems, showsAll, enter, ...shared }) {
  const isErased = Boolean(draft.entries[group.path]?.erase);
  const own = problems.filter((one) => one.field === group.path && group.path);
  const said = own.filter((one) => showsAll || !isMissing(one));
  const isOpen = group.required || Boolean(group.when) || group.path === "processor_details";
  return html`
    <${Card.Root} size="sm" as="details" open=${isOpen || undefined}>
      <${Card.Header} as="summary" cursor="pointer" pb=${3} css=${OPENED}>
        <${HStack} as="span" display="inline-flex" wrap="wrap">
          <${Text} as="span" className="mark" aria-hidden="true" color="fg.muted">▸<//>
          <${Text} as="span" fontWeight="semibold">${group.label}<//>
          ${!group.required && !group.when && html`<${Badge} variant="outline">optional<//>`}
          ${group.when && html`<${Badge} colorPalette="blue">outcome ${group.when}<//>`}
        <//>
      <//>
      <${Card.Body} gap=${4} pt=${0}>
        ${group.help && !group.when && html`<${Text} fontSize="sm" color="fg.muted">${group.help}<//>`}
        ${said.map((one) => html`<${Note} key=${one.code} status="error">${one.message}<//>`)}
        ${group.erasable &&
        html`<${EraseBox}
          label="Erase what the record has"
          isOn=${isErased}
          onChange=${(isOn) => enter(group.path, isOn ? { erase: true } : "")}
        />`}
        ${!isErased &&
        html`
          <${SimpleGrid} columns=${{ base: 1, md: 2 }} gap=${4}>
            ${group.fields
              .filter((field) => !field.fixed)
              .map(
                (field) => html`<${FormField}
                  key=${field.path}
                  field=${field}
                  draft=${draft}
                  problems=${problems}
                  showsAll=${showsAll}
                  enter=${enter}
                  ...${shared}
                />`,
              )}
          <//>
        `}
      <//>
    <//>
  `;
}

const WIDE = ["amount", "time", "map"];

function FormField({ field, draft, problems, showsAll, enter, touch, shown, currencies }) {
  const entry = draft.entries[field.path];
  const isErased = Boolean(entry?.erase);
  const said = problemsOf(problems, field.path).filter(
    (one) => showsAll || draft.touched[field.path] || !isMissing(one),
  );
  return html`
    <${Field.Root}
      required=${field.required}
      invalid=${said.length > 0}
      gridColumn=${WIDE.includes(field.control) ? { md: "span 2" } : undefined}
      onBlur=${() => touch(field.path)}
      data-field=${field.path}
    >
      <${Field.Label}>${field.label}<${Field.RequiredIndicator} /><//>
      ${!isErased &&
      html`<${Control}
        field=${field}
        entry=${entry}
        currencies=${currencies}
        onChange=${(changed) => enter(field.path, changed)}
      />`}
      ${field.erasable &&
      html`<${EraseBox}
        label="Erase what the record has"
        isOn=${isErased}
        onChange=${(isOn) => enter(field.path, isOn ? { erase: true } : "")}
      />`}
      ${shown[field.path] && html`<${Field.HelperText} color="fg">${shown[field.path]}<//>`}
      <${Field.HelperText}>${helpOf(field)}<//>
      <${Field.ErrorText}>${said.map((one) => one.message).join(" ")}<//>
    <//>
  `;
}

function helpOf(field) {
  const limits = ["integer", "map", "list"].includes(field.control) ? ` ${sentence(field.limits)}` : "";
  return `${field.help}${limits}`;
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

function EraseBox({ label, isOn, onChange }) {
  return html`
    <${Checkbox.Root} checked=${isOn} onCheckedChange=${(change) => onChange(change.checked === true)} size="sm">
      <${Checkbox.HiddenInput} />
      <${Checkbox.Control} />
      <${Checkbox.Label}>${label}<//>
    <//>
  `;
}

function Naming({ draft, onChange, composed, problems }) {
  const ofKey = problemsOf(problems, "key")[0];
  const ofSource = problemsOf(problems, "source")[0];
  const suggested = ofKey && composed?.suggested_key;
  return html`
    <${Card.Root} size="sm">
      <${Card.Header} pb=${3}><${Text} fontWeight="semibold">Name in the ledger<//><//>
      <${Card.Body} gap=${4} pt=${0}>
        <${Text} fontSize="sm" color="fg.muted">
          The same name with the same content is the same payment, whenever it is sent.
        <//>
        <${SimpleGrid} columns=${{ base: 1, md: 2 }} gap=${4}>
          <${Field.Root} invalid=${Boolean(ofKey)}>
            <${Field.Label}>Key<//>
            <${Input}
              value=${draft.key}
              placeholder=${composed?.key ?? "the reference, where there is one"}
              onChange=${(event) => onChange({ key: event.target.value })}
            />
            <${Field.HelperText}>Names the payment. Empty: its payment or refund reference.<//>
            <${Field.ErrorText}>${ofKey?.message}<//>
            ${suggested &&
            html`<${Box}>
              <${Button} size="xs" variant="outline" onClick=${() => onChange({ key: suggested })}>
                Use ${suggested}
              <//>
            <//>`}
          <//>
          <${Field.Root} invalid=${Boolean(ofSource)}>
            <${Field.Label}>Source<//>
            <${Input}
              value=${draft.source}
              placeholder="default"
              onChange=${(event) => onChange({ source: event.target.value })}
            />
            <${Field.HelperText}>Namespace of keys, such as adyen-eu.<//>
            <${Field.ErrorText}>${ofSource?.message}<//>
          <//>
        <//>
      <//>
    <//>
  `;
}
