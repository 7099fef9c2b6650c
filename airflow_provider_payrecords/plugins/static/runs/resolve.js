// A person's word on a payment that no machine can decide: its record was found, or there is none.

import { ConfirmDialog, Note, ProblemBox, call, html, useOnce } from "../ui.js";
import { placeOfPayment } from "./place.js";
import { Id } from "./words.js";

const { useEffect, useState } = globalThis.React;
const { Box, Button, Field, HStack, Input, Stack, Text } = globalThis.ChakraUI;

/** Both decisions of *entry*; why one cannot be made now stands beside it. */
export function Resolve({ connection, entry, may, onDone }) {
  const [decision, setDecision] = useState(null);
  const [record, setRecord] = useState("");
  const [problem, setProblem] = useState();
  const [unchecked, setUnchecked] = useState(null);
  useEffect(() => setRecord(""), [decision]);
  const [confirm, isRunning] = useOnce(async () => {
    setProblem(undefined);
    const said = decision === "found" ? { found: record.trim() } : { absent: true };
    const named = placeOfPayment(entry);
    delete named.run;
    try {
      const answer = await call("POST", "resolve", { connection, ...named, updated_at: entry.updated_at, ...said });
      setUnchecked({ state: answer.entry.state, said: answer.unchecked });
    } catch (error) {
      setProblem(error);
    }
    setDecision(null);
    onDone();
  });
  const isOpenEnded = entry.state === "review" || entry.state === "unknown";
  return html`
    <${Box}>
      ${isOpenEnded &&
      html`
        <${Stack} gap=${2}>
          <${Choice} label="I found its record …" because=${may.not_found_because} onClick=${() => setDecision("found")} />
          <${Choice} label="There is no record …" because=${may.not_absent_because} onClick=${() => setDecision("absent")} />
        <//>
      `}
      ${problem && html`<${Box} mt=${3}><${ProblemBox} problem=${problem} /><//>`}
      ${unchecked && html`<${Said} unchecked=${unchecked} />`}
      <${ConfirmDialog}
        title=${decision === "found" ? "Which record is this payment?" : "Is there no record of it?"}
        action=${decision === "found" ? "This record is the payment" : "There is no record: the next run sends it"}
        word=${decision === "absent" ? "absent" : undefined}
        isOpen=${decision !== null}
        isRunning=${isRunning}
        onConfirm=${() => (decision === "found" && !record.trim() ? undefined : confirm())}
        onClose=${() => setDecision(null)}
      >
        ${decision === "found"
          ? html`<${FoundForm} record=${record} setRecord=${setRecord} />`
          : html`<${AbsentWarning} entry=${entry} />`}
      <//>
    <//>
  `;
}

function Choice({ label, because, onClick }) {
  return html`
    <${HStack} gap=${3} wrap="wrap">
      <${Button} size="sm" variant="outline" disabled=${Boolean(because)} onClick=${onClick}>${label}<//>
      ${because && html`<${Text} fontSize="sm" color="fg.muted" flex="1" minW="12rem">Not now: ${because}<//>`}
    <//>
  `;
}

function FoundForm({ record, setRecord }) {
  return html`
    <${Stack} gap=${3}>
      <${Text}>
        The record is fetched and checked: it must exist in this account, be of this money, and be no other payment's. The
        payment is then confirmed with it. Nothing is sent.
      <//>
      <${Field.Root} required>
        <${Field.Label}>Id of the Payment Record<//>
        <${Input}
          value=${record}
          onChange=${(event) => setRecord(event.target.value)}
          placeholder="pr_…"
          maxLength=${255}
          autoComplete="off"
          spellCheck=${false}
        />
      <//>
    <//>
  `;
}

function AbsentWarning({ entry }) {
  return html`
    <${Stack} gap=${3}>
      <${Text}>
        Search the Dashboard for <${Id}>${entry.key}<//> first. Stripe’s list is looked through now; a record that is there
        confirms the payment instead.
      <//>
      <${Text} fontWeight="medium">
        If you are wrong, the next run may record the payment a second time.
      <//>
    <//>
  `;
}

function Said({ unchecked }) {
  return html`
    <${Note} status="success" title=${`The payment is ${unchecked.state} now`} mt=${3}>
      ${unchecked.said.map((one) => html`<${Text} key=${one}>On your word: ${one}.<//>`)}
    <//>
  `;
}
