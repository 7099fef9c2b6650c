// The Airflow task behind a run: its log, and clearing it, both by Airflow's own pages and permissions.

import { ConfirmDialog, Note, Problem, ProblemBox, address, html, useOnce } from "../ui.js";

const { useState } = globalThis.React;
const { Box, Button, Text } = globalThis.ChakraUI;
const { Link: RouterLink } = globalThis.ReactRouterDOM;

const isTask = (startedBy) => Boolean(startedBy?.dag_id && startedBy?.task_id && startedBy?.run_id);

const isMapped = (startedBy) => (startedBy.map_index ?? -1) >= 0;

function logPlace(startedBy) {
  const { dag_id, run_id, task_id, map_index, try_number } = startedBy;
  const mapped = isMapped(startedBy) ? `/mapped/${map_index}` : "";
  const tried = try_number ? `?try_number=${try_number}` : "";
  return `/dags/${encodeURIComponent(dag_id)}/runs/${encodeURIComponent(run_id)}/tasks/${encodeURIComponent(task_id)}${mapped}${tried}`;
}

/** A link to the log of the task that made a run; or what made it, where that was no task. */
export function LogLink({ startedBy }) {
  if (isTask(startedBy)) {
    return html`
      <${Button} asChild size="sm" variant="outline"><${RouterLink} to=${logPlace(startedBy)}>Log of the task<//><//>
    `;
  }
  return startedBy?.command ? html`<${Text} fontSize="sm" color="fg.muted">by ${startedBy.command}<//>` : null;
}

/** Clear the task, so that it reads its extract again. Airflow decides whether the person may. */
export function ClearTask({ startedBy }) {
  const [isOpen, setIsOpen] = useState(false);
  const [isCleared, setIsCleared] = useState(false);
  const [problem, setProblem] = useState();
  const [confirm, isRunning] = useOnce(async () => {
    setProblem(undefined);
    try {
      await clear(startedBy);
      setIsCleared(true);
    } catch (error) {
      setProblem(error);
    }
    setIsOpen(false);
  });
  if (!isTask(startedBy)) return null;
  if (isCleared) return html`<${Note} status="success" title="Airflow runs the task again"><${LogLink} startedBy=${startedBy} /><//>`;
  return html`
    <${Box}>
      <${Button} size="sm" onClick=${() => setIsOpen(true)}>Clear the task, so that it runs again …<//>
      <${ProblemBox} problem=${problem} />
      <${ConfirmDialog}
        title="Clear the task?"
        action="Clear the task"
        isOpen=${isOpen}
        isRunning=${isRunning}
        onConfirm=${confirm}
        onClose=${() => setIsOpen(false)}
      >
        Airflow runs ${startedBy.task_id} of ${startedBy.dag_id} (${startedBy.run_id}) again, without the tasks after it. It
        reads its extract once more: what is confirmed is not sent again.
      <//>
    <//>
  `;
}

async function clear(startedBy) {
  const task = isMapped(startedBy) ? [startedBy.task_id, startedBy.map_index] : startedBy.task_id;
  const response = await fetch(address(`api/v2/dags/${encodeURIComponent(startedBy.dag_id)}/clearTaskInstances`), {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      dry_run: false,
      only_failed: false,
      prevent_running_task: true,
      dag_run_id: startedBy.run_id,
      task_ids: [task],
    }),
  });
  if (response.ok) return;
  const answer = await response.json().catch(() => ({}));
  throw new Problem({
    status: response.status,
    title: response.status === 403 ? "You may not clear this task" : "Airflow did not clear the task",
    detail: typeof answer.detail === "string" ? answer.detail : `It answered with ${response.status}.`,
    next_step: "Nothing was changed by this. Open the task and clear it there, or wait for its next run.",
  });
}
