// Asking that rejects are sent again. A ledger has no rows, so the next run that has them sends them.

import { CodeBox, ConfirmDialog, Note, ProblemBox, call, formatCount, html, useOnce } from "../ui.js";
import { ClearTask } from "./task.js";

const { useEffect, useState } = globalThis.React;
const { Box, Stack, Text } = globalThis.ChakraUI;

/** Ask, and say what comes of it. *body* is what our API is asked for; *onDone* is called once it was asked. */
export function AskForReplay({ body, isOpen, onClose, onDone, children }) {
  const [done, setDone] = useState(null);
  const [problem, setProblem] = useState();
  const wanted = JSON.stringify(body);
  useEffect(() => {
    if (!isOpen) return;
    setDone(null);
    setProblem(undefined);
  }, [isOpen, wanted]);
  const [confirm, isRunning] = useOnce(async () => {
    const asked = body;
    try {
      setDone({ ...(await call("POST", "replay", asked)), body: asked });
      onDone?.();
    } catch (error) {
      setProblem(error);
    }
    onClose();
  });
  return html`
    <${ConfirmDialog}
      title="Send again?"
      action="Let the next run send them"
      word=${body?.mode === "live" ? "live" : undefined}
      isOpen=${isOpen}
      isRunning=${isRunning}
      onConfirm=${confirm}
      onClose=${onClose}
    >
      <${Stack} gap=${3}>
        <${Text}>${children}<//>
        <${Text}>
          Nothing is sent now: this page has no rows of an extract. They become planned, and the next run that has their
          rows sends each once, under the same idempotency key. A reject that another person asked for is not taken twice.
        <//>
      <//>
    <//>
    ${problem && html`<${Box} mt=${3}><${ProblemBox} problem=${problem} /><//>`}
    ${done && html`<${Asked} done=${done} />`}
  `;
}

function Asked({ done }) {
  if (!done.asked) {
    return html`
      <${Note} status="warning" title="Nothing to send again" mt=${3}>
        None of these is a reject of this run in the ledger any more: somebody asked before, an earlier run refused them,
        they were refused by our own checks, or they are confirmed meanwhile.
      <//>
    `;
  }
  return html`
    <${Note} status="success" title=${`${formatCount(done.asked)} will be sent by the next run that has their rows`} mt=${3}>
      <${Stack} gap=${3} mt=${1} align="start">
        ${done.left && html`<${Text}>There are more of them: ask once more.<//>`}
        <${ClearTask} startedBy=${done.started_by} />
        <${Text}>${done.started_by?.dag_id ? "Or run" : "Run"} the extract that has them by hand, with the same ledger and account:<//>
        <${CodeBox} label="Command" text="payrecords report FILE --mapping MAPPING" w="full" />
      <//>
    <//>
  `;
}
