// What all pages share: markup, calls of our API, formats, and the boxes that say what happened.
//
// React and Chakra are Airflow's own, so the pages follow its theme. Data only ever becomes text, never markup.

import htm from "./vendor/htm.module.js";

const { createElement, useCallback, useEffect, useRef, useState } = globalThis.React;
const { Alert, Badge, Box, Button, Dialog, Field, HStack, Input, Link, Portal, Spinner, Stack, Text } =
  globalThis.ChakraUI;

export const html = htm.bind(createElement);

/** Return the address of something below Airflow's base path. */
export const address = (path) => new URL(path, document.baseURI).href;

/** What went wrong, as the server says it or as the browser met it: title, detail, next_step, problems. */
export class Problem extends Error {
  constructor({ status = 0, title, detail = "", next_step = "", problems = [] }) {
    super(title);
    Object.assign(this, { status, title, detail, next_step, problems });
  }

  get isLoginExpired() {
    return this.status === 401;
  }
}

/** Call our API and return its JSON; anything else is thrown as a Problem. */
export async function call(method, path, body, signal) {
  const options = { method, signal, credentials: "same-origin", headers: { "X-Payrecords-Request": "1" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(address(`payrecords/api/${path}`), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({
      title: "Airflow did not answer",
      detail: "The connection to the API server broke.",
      next_step: "Check that Airflow runs and that you are online, then try again.",
    });
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw new Problem(
    answer?.title
      ? answer
      : {
          status: response.status,
          title: `Airflow answered with ${response.status}`,
          detail: "This is not an answer of these pages. Look into the log of the API server, or of the proxy before it.",
        },
  );
}

/** Read *path* now and whenever it changes: {data, problem, isLoading, reload}. With *everySeconds*: again and again. */
export function useQuery(path, { everySeconds } = {}) {
  const [state, setState] = useState({ data: undefined, problem: undefined, isLoading: true });
  const [round, setRound] = useState(0);
  const isReading = useRef(false);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  useEffect(() => {
    if (path === undefined || path === null) return undefined;
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    isReading.current = true;
    const done = (change) => {
      isReading.current = false;
      setState((before) => ({ ...before, ...change, isLoading: false }));
    };
    call("GET", path, undefined, abort.signal).then(
      (data) => done({ data, problem: undefined }),
      (problem) => problem.name === "AbortError" || done({ problem }),
    );
    return () => abort.abort();
  }, [path, round]);
  useEffect(() => {
    if (!everySeconds) return undefined;
    // A read that takes longer than that is waited for, not broken off by the next one.
    const timer = setInterval(() => isReading.current || reload(), everySeconds * 1000);
    return () => clearInterval(timer);
  }, [everySeconds, reload]);
  return { ...state, reload };
}

/** Return a function that runs *action* once at a time: a second click while it runs does nothing. */
export function useOnce(action) {
  const running = useRef(false);
  const [isRunning, setIsRunning] = useState(false);
  const run = async (...args) => {
    if (running.current) return undefined;
    running.current = true;
    setIsRunning(true);
    try {
      return await action(...args);
    } finally {
      running.current = false;
      setIsRunning(false);
    }
  };
  return [run, isRunning];
}

/** Return minor units as people write them: 4950 of eur is "49.50 EUR". *currencies*: decimals by code, from "me". */
export function formatMoney(minor, currency, currencies) {
  const decimals = currencies[currency] ?? 2;
  const digits = String(Math.abs(minor)).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = decimals ? `.${digits.slice(-decimals)}` : "";
  return `${minor < 0 ? "-" : ""}${whole}${fraction} ${currency.toUpperCase()}`;
}

const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** Return an instant (ISO 8601, or Unix seconds) in the reader's zone, which it names. */
export function formatTime(instant) {
  return instant === null || instant === undefined
    ? "–"
    : TIME.format(typeof instant === "number" ? instant * 1000 : new Date(instant));
}

export const formatCount = (count) => new Intl.NumberFormat("en-US").format(count);

/** What happened and what to do. *onRetry* adds a button; an expired login gets a link that keeps this page open. */
export function ProblemBox({ problem, onRetry }) {
  if (!problem) return null;
  return html`
    <${Alert.Root} status="error" role="alert" data-testid="problem">
      <${Alert.Indicator} />
      <${Alert.Content}>
        <${Alert.Title}>${problem.title}<//>
        <${Alert.Description} overflowWrap="anywhere">
          ${problem.detail && html`<${Text}>${problem.detail}<//>`}
          ${problem.next_step && html`<${Text} fontWeight="medium">${problem.next_step}<//>`}
          ${problem.problems?.map(
            (one) => html`<${Text} key=${one.field + one.code}><code>${one.field}</code>: ${one.message}<//>`,
          )}
        <//>
        <${HStack} mt=${2}>
          ${problem.isLoginExpired &&
          html`<${Link} href=${address("api/v2/auth/login")} target="_blank" rel="noopener" textDecoration="underline">
            Log in in a new tab
          <//>`}
          ${onRetry && html`<${Button} size="xs" variant="outline" onClick=${onRetry}>Try again<//>`}
        <//>
      <//>
    <//>
  `;
}

/** A message that is no error: *status* is info, success, warning or neutral. */
export function Note({ status = "info", title, children, ...more }) {
  return html`
    <${Alert.Root} status=${status} role="status" ...${more}>
      <${Alert.Indicator} />
      <${Alert.Content}>
        ${title && html`<${Alert.Title}>${title}<//>`}
        <${Alert.Description} overflowWrap="anywhere">${children}<//>
      <//>
    <//>
  `;
}

export function Loading({ label = "Loading" }) {
  return html`<${HStack} role="status" color="fg.muted" py=${4}><${Spinner} size="sm" /><${Text}>${label} …<//><//>`;
}

const MODES = { live: "red", test: "blue" };

/** Whether a connection is for test or for live. */
export function ModeBadge({ mode }) {
  return mode ? html`<${Badge} colorPalette=${MODES[mode]}>${mode}<//>` : null;
}

/** A button that copies *text*, and says so. */
export function CopyButton({ text, label = "Copy" }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => setSaid(""), 2000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Select the text and copy it"); // no permission, or no secure context
    }
  };
  return html`<${Button} size="xs" variant="outline" onClick=${copy} aria-live="polite">${said || label}<//>`;
}

/** Text as it is, in a box that scrolls sideways rather than the page. */
export function CodeBox({ text, label, ...more }) {
  return html`
    <${Box}
      as="pre"
      tabIndex=${0}
      role="region"
      aria-label=${label}
      bg="bg.subtle"
      borderWidth="1px"
      borderRadius="md"
      p=${3}
      fontSize="xs"
      fontFamily="mono"
      overflow="auto"
      maxH="28rem"
      whiteSpace="pre"
      ...${more}
      >${text}<//
    >
  `;
}

/** Ask before something is done. With *word*, the person types it first. */
export function ConfirmDialog({ title, children, action, word, isOpen, isRunning, onConfirm, onClose }) {
  const [typed, setTyped] = useState("");
  useEffect(() => setTyped(""), [isOpen]);
  const isAllowed = (!word || typed.trim() === word) && !isRunning;
  const confirm = (event) => {
    event.preventDefault();
    if (isAllowed) onConfirm(typed.trim());
  };
  return html`
    <${Dialog.Root} open=${isOpen} onOpenChange=${(change) => change.open || onClose()} role="alertdialog" lazyMount>
      <${Portal}>
        <${Dialog.Backdrop} />
        <${Dialog.Positioner}>
          <${Dialog.Content} mx=${4}>
            <form onSubmit=${confirm}>
              <${Dialog.Header}><${Dialog.Title}>${title}<//><//>
              <${Dialog.Body}>
                <${Stack} gap=${4}>
                  <${Box}>${children}<//>
                  ${word &&
                  html`
                    <${Field.Root}>
                      <${Field.Label}>Type <b>${word}</b> to confirm<//>
                      <${Input} value=${typed} onChange=${(event) => setTyped(event.target.value)} autoComplete="off" />
                    <//>
                  `}
                <//>
              <//>
              <${Dialog.Footer}>
                <${Button} variant="outline" type="button" onClick=${onClose}>Cancel<//>
                <${Button} colorPalette="red" type="submit" disabled=${!isAllowed} loading=${isRunning}>${action}<//>
              <//>
            </form>
          <//>
        <//>
      <//>
    <//>
  `;
}

/** A page: heading, what the person may do, and what failed before anything could be shown. */
export function Page({ title, about, children }) {
  const me = useQuery("me");
  return html`
    <${Box} p=${{ base: 3, md: 6 }} maxW="96rem" mx="auto" w="full">
      <${Box} as="h1" fontSize="2xl" fontWeight="bold">${title}<//>
      ${about && html`<${Text} color="fg.muted" mb=${4}>${about}<//>`}
      ${me.problem && html`<${ProblemBox} problem=${me.problem} onRetry=${me.reload} />`}
      ${!me.data && !me.problem && html`<${Loading} />`}
      ${me.data && !me.data.may.read && html`<${NoRight} />`} ${me.data?.may.read && children(me.data)}
    <//>
  `;
}

function NoRight() {
  return html`
    <${Note} status="warning" title="You may not see this page">
      Ask for a role that may read the task logs of all DAGs (Viewer or above).
    <//>
  `;
}
