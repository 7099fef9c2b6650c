// Sending what was composed, once, and the answer to it.

import { ConfirmDialog, ModeBadge, Note, ProblemBox, call, html, useOnce } from "../ui.js";
import { Copyable, Pairs } from "./preview.js";
import { bodyOf } from "./state.js";

const { useEffect, useState } = globalThis.React;
const { Badge, Box, Button, Card, HStack, Link, Stack, Tabs, Text } = globalThis.ChakraUI;

export function SendPanel({ form, groups, draft, connection, composed, isStale, may, onAsk }) {
  const [outcome, setOutcome] = useState(null);
  const [isConfirming, setIsConfirming] = useState(false);
  const [send, isSending] = useOnce(async (confirmation) => {
    setOutcome(null);
    try {
      const body = { ...bodyOf(form.name, groups, draft), ...(confirmation && { confirmation }) };
      setOutcome({ answer: await call("POST", "send", body), at: new Date() });
    } catch (problem) {
      setOutcome({ problem, at: new Date() });
    } finally {
      setIsConfirming(false);
    }
  });
  const isLive = connection?.mode === "live";
  const right = isLive ? "send_live" : "send_test";
  const isReady = Boolean(composed?.http) && !isStale;
  const ask = () => {
    onAsk();
    if (!isReady) return;
    if (composed.confirmation) setIsConfirming(true);
    else send();
  };
  return html`
    <${Card.Root} size="sm" as="section" aria-label="Test request">
      <${Card.Body} gap=${3}>
        <${HStack} wrap="wrap" gap=${3}>
          <${Button}
            colorPalette=${isLive ? "red" : "blue"}
            onClick=${ask}
            loading=${isSending}
            disabled=${!may[right] || isSending || isStale}
          >
            ${isLive ? "Send for real" : "Test request"}
          <//>
          ${connection && html`<${ModeBadge} mode=${connection.mode} />`}
          <${Text} fontSize="sm" color="fg.muted" flex="1" minW="12rem">
            ${hintOf({ isLive, method: form.method, isAllowed: may[right] })}
          <//>
        <//>
        ${isSending && html`<${Waiting} />`}
        ${isUnclear(outcome?.problem) &&
        html`<${Note} status="warning" title="It may have been sent">
          The answer got lost between Airflow and this page. Send it again: the same idempotency key goes with it, so
          there is no second payment.
        <//>`}
        ${outcome?.problem && html`<${ProblemBox} problem=${outcome.problem} onRetry=${isReady ? ask : undefined} />`}
        ${outcome?.answer && html`<${Answer} answer=${outcome.answer} at=${outcome.at} />`}
      <//>
      <${ConfirmDialog}
        title="Record this for real?"
        action="Send for real"
        word=${composed?.confirmation}
        isOpen=${isConfirming}
        isRunning=${isSending}
        onConfirm=${send}
        onClose=${() => setIsConfirming(false)}
      >
        The connection ${connection?.id} has a live key. “${form.label}” goes through the ledger: what is confirmed there
        is not sent again.
      <//>
    <//>
  `;
}

/** Whether Airflow itself did not say what came of it: the connection broke, or a proxy had enough of waiting. */
const isUnclear = (problem) => problem && (problem.status === 0 || (problem.status >= 500 && !problem.next_step));

function hintOf({ isLive, method, isAllowed }) {
  if (!isAllowed) return isLive ? "You may not send with a live key." : "You may not send with this connection.";
  if (method === "GET") return "Reads; changes nothing.";
  return isLive
    ? "Asks you to confirm, then goes through the ledger."
    : "Sent once, as it is. Sent again, the same idempotency key gets the same record.";
}

function Waiting() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<${Text} fontSize="sm" color="fg.muted" role="status">
    Waiting for the answer${seconds > 2 ? `, ${seconds} seconds` : ""} …
  <//>`;
}

function Answer({ answer, at }) {
  const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body, null, 2);
  return html`
    <${Stack} gap=${3} data-testid="answer">
      <${HStack} wrap="wrap" gap=${2}>
        ${answer.status && html`<${Badge} size="md" colorPalette=${colorOf(answer.status)}>${answer.status}<//>`}
        <${Text} fontSize="sm">${answer.milliseconds} ms<//>
        ${answer.request_id && html`<${Text} fontSize="sm" fontFamily="mono">${answer.request_id}<//>`}
        <${Text} fontSize="sm" color="fg.muted">${at.toLocaleTimeString("en-GB")}<//>
        ${answer.record_url &&
        html`<${Link} href=${answer.record_url} target="_blank" rel="noopener noreferrer" color="fg.info" fontSize="sm">
          ${answer.payment_record} ↗
        <//>`}
      <//>
      ${answer.replayed &&
      html`<${Note} title="The same request was sent before">
        The API gave its stored answer again. Nothing was recorded a second time.
      <//>`}
      ${answer.new === false &&
      html`<${Note} title="Confirmed before">The ledger has this payment, so nothing was sent.<//>`}
      <${ProblemBox} problem=${answer.problem} />
      <${Tabs.Root} defaultValue="body" size="sm" variant="line" lazyMount>
        <${Tabs.List}>
          <${Tabs.Trigger} value="body">Body<//>
          <${Tabs.Trigger} value="headers">Headers<//>
        <//>
        <${Tabs.Content} value="body">
          ${answer.body === null
            ? html`<${Text} fontSize="sm" color="fg.muted">Nothing was sent, so there is no body.<//>`
            : html`<${Copyable} text=${body} label="Body of the answer" />`}
        <//>
        <${Tabs.Content} value="headers">
          ${answer.through_ledger
            ? html`<${Text} fontSize="sm" color="fg.muted">
                Through the ledger an answer is read as the record it is; its headers are not kept.
              <//>`
            : html`<${Pairs} pairs=${Object.entries(answer.headers)} />`}
        <//>
      <//>
    <//>
  `;
}

const colorOf = (status) => (status < 300 ? "green" : status < 500 ? "orange" : "red");
