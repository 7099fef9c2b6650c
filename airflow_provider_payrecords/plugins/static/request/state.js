// What is entered, and what the server makes of it.

import { call } from "../ui.js";

const { useEffect, useRef, useState } = globalThis.React;

const QUIET_MILLISECONDS = 300;

/** Return an empty draft: what has one value is filled in, and a test connection comes before a live one. */
export function startOf(form, connections) {
  const usable = connections.filter((one) => !one.problem);
  const first = usable.find((one) => one.mode === "test") ?? usable[0] ?? connections[0];
  const defaults = form.groups.flatMap((group) => group.fields).filter((field) => field.default && !field.fixed);
  return {
    connection: first?.id ?? "",
    key: "",
    source: "",
    entries: Object.fromEntries(defaults.map((field) => [field.path, field.default])),
    touched: {},
  };
}

/** Return the groups that belong to the outcome that is chosen. */
export const visibleOf = (groups, entries) => groups.filter((group) => !group.when || group.when === entries.outcome);

/** Return what is sent to the server: the entries that can be seen, and no others. */
export function bodyOf(endpoint, groups, draft) {
  const paths = groups.flatMap((group) => [group.path, ...group.fields.map((field) => field.path)]);
  const values = Object.fromEntries(paths.filter((path) => path in draft.entries).map((path) => [path, draft.entries[path]]));
  return {
    endpoint,
    values,
    connection: draft.connection,
    ...(draft.key && { key: draft.key }),
    ...(draft.source && { source: draft.source }),
  };
}

/** Let the server look at the draft whenever it has not changed for a moment: {composed, problem, isStale, retry}. */
export function useComposed(endpoint, groups, draft) {
  const body = JSON.stringify(bodyOf(endpoint, groups, draft));
  const [state, setState] = useState({ composed: undefined, problem: undefined, of: undefined });
  const [round, setRound] = useState(0);
  const isFirst = useRef(true);
  useEffect(() => {
    const abort = new AbortController();
    const look = () =>
      call("POST", "compose", JSON.parse(body), abort.signal).then(
        (composed) => setState({ composed, problem: undefined, of: body }),
        (problem) => problem.name === "AbortError" || setState((before) => ({ ...before, problem, of: undefined })),
      );
    const timer = setTimeout(look, isFirst.current ? 0 : QUIET_MILLISECONDS);
    isFirst.current = false;
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [body, round]);
  return { ...state, isStale: state.of !== body, retry: () => setRound((before) => before + 1) };
}

/** Return the problems of a field or of anything inside it. */
export const problemsOf = (problems, path) =>
  problems.filter((one) => one.field === path || (path && one.field.startsWith(`${path}.`)));

/** Whether a problem only says that something has yet to be filled in. */
export const isMissing = (problem) =>
  ["parameter_missing", "detail_missing", "missing_key"].includes(problem.code);
