// How states, counts, money and times of runs and payments are written. A colour never stands without its word.

import { formatCount, formatMoney, formatTime, html } from "../ui.js";

const { useEffect, useState } = globalThis.React;
const { Badge, Box, Code, HStack, Text } = globalThis.ChakraUI;

/** States of payments, in the order in which they are shown, with the colour of each. */
export const STATES = {
  confirmed: "green",
  rejected: "red",
  unknown: "orange",
  review: "purple",
  held: "blue",
  claimed: "blue",
  planned: "gray",
};

const RUN_STATES = { running: "blue", finished: "green", stopped: "orange", silent: "red" };

export function StateBadge({ state, ...more }) {
  return html`<${Badge} colorPalette=${STATES[state] ?? RUN_STATES[state] ?? "gray"} ...${more}>${state}<//>`;
}

/** What kind of run it was: of an extract or a call, or what a person decided. */
export const kindOf = (run) => ({ review: "a person’s word", replay: "asked for a replay" })[run.kind] ?? "run";

export const callName = (endpoint) => endpoint.replaceAll("_", " ");

/** The last part of an extract's path or address; the whole stands in the title. */
export const shortName = (extract) => extract.replace(/\/+$/, "").split("/").pop() || extract;

const SHORT = new Intl.DateTimeFormat("en-GB", {
  day: "2-digit",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** An instant, short; with its year and zone in the title. */
export function When({ at, ...more }) {
  if (!at) return html`<${Text} as="span" ...${more}>–<//>`;
  const instant = typeof at === "number" ? at * 1000 : at;
  return html`
    <${Text} as="time" dateTime=${new Date(instant).toISOString()} title=${formatTime(at)} whiteSpace="nowrap" ...${more}>
      ${SHORT.format(new Date(instant))}
    <//>
  `;
}

/** Return seconds as people say them. */
export function formatSeconds(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Return how long a run took, or has taken so far. */
export function durationOf(run) {
  const end = run.finished_at ?? run.heard_at;
  return end ? (new Date(end) - new Date(run.started_at)) / 1000 : null;
}

/** Return the states of *counts* that are not zero, in order. */
export const statesOf = (counts) => Object.keys(STATES).filter((state) => counts[state]);

/** Rows by state. */
export function Counts({ counts }) {
  const states = statesOf(counts);
  if (!states.length) return html`<${Text} as="span" color="fg.muted">none<//>`;
  return html`
    <${HStack} gap=${1} wrap="wrap">
      ${states.map(
        (state) => html`
          <${Badge} key=${state} colorPalette=${STATES[state]} variant="subtle">
            ${formatCount(counts[state])} ${state}
          <//>
        `,
      )}
    <//>
  `;
}

const MAX_SUMS = 3;

/** Confirmed money by currency, the first few of them. */
export function ConfirmedMoney({ money, currencies }) {
  const sums = Object.entries(money).filter(([, states]) => states.confirmed).sort();
  if (!sums.length) return html`<${Text} as="span" color="fg.muted">–<//>`;
  return html`
    <${Box}>
      ${sums.slice(0, MAX_SUMS).map(
        ([currency, states]) => html`
          <${Text} key=${currency} whiteSpace="nowrap" fontVariantNumeric="tabular-nums">
            ${formatMoney(states.confirmed, currency, currencies)}
          <//>
        `,
      )}
      ${sums.length > MAX_SUMS && html`<${Text} color="fg.muted" fontSize="xs">and ${sums.length - MAX_SUMS} more currencies<//>`}
    <//>
  `;
}

/** An id or a key: as it is, and broken where it is too long. */
export function Id({ children, ...more }) {
  return html`<${Code} size="sm" variant="surface" display="inline" overflowWrap="anywhere" whiteSpace="normal" ...${more}>${children}<//>`;
}

/** Return row numbers with neighbours joined: 3–5, 9. */
export function joinRows(numbers) {
  const spans = [];
  for (const number of [...numbers].sort((one, other) => one - other)) {
    const last = spans.at(-1);
    if (last && number <= last[1] + 1) last[1] = number;
    else spans.push([number, number]);
  }
  return spans.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ");
}

/** Return whether *query* holds for the window, now and later. */
export function useMedia(query) {
  const [holds, setHolds] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const list = window.matchMedia(query);
    const look = () => setHolds(list.matches);
    list.addEventListener("change", look);
    look();
    return () => list.removeEventListener("change", look);
  }, [query]);
  return holds;
}

export const useIsNarrow = () => useMedia("(max-width: 900px)");

/** Return whether somebody can see this page: it is not in a background tab. */
export function useIsVisible() {
  const [isVisible, setIsVisible] = useState(!document.hidden);
  useEffect(() => {
    const look = () => setIsVisible(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return isVisible;
}
