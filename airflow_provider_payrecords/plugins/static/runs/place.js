// Where on the page of runs a person is. All of it is in the address, so that reload, back and a sent link work.

import { html } from "../ui.js";

const { Link: ChakraLink } = globalThis.ChakraUI;
const { Link: RouterLink, useLocation, useSearchParams } = globalThis.ReactRouterDOM;

const PAYMENT = ["account", "mode", "endpoint", "source", "key"];

/** Return the place and a function that goes to another: {place, go}. */
export function usePlace() {
  const [params, setParams] = useSearchParams();
  const place = Object.fromEntries(params);
  const go = (changes, options) => setParams(cleaned({ connection: place.connection, ...changes }), options);
  return { place, go };
}

/** Return the place of one payment, below that of the run it was opened from. */
export const placeOfPayment = (entry, run) => ({ run, ...Object.fromEntries(PAYMENT.map((name) => [name, entry[name]])) });

/** Return whether *place* is that of one payment. */
export const isPayment = (place) => PAYMENT.every((name) => place[name]);

/** Return the address of our API that reads *path* of the payment at *place*. */
export function paymentPath(path, place) {
  return query(path, { connection: place.connection, ...Object.fromEntries(PAYMENT.map((name) => [name, place[name]])) });
}

/** Return *path* with the parameters that are set; a list becomes several. */
export function query(path, parameters) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) params.append(name, one);
  }
  return `${path}?${params}`;
}

/** A link to another place on this page. */
export function PlaceLink({ to, children, ...more }) {
  const { place } = usePlace();
  const { pathname } = useLocation();
  const search = `?${new URLSearchParams(cleaned({ connection: place.connection, ...to }))}`;
  return html`
    <${ChakraLink} asChild color="fg.info" textDecoration="underline" overflowWrap="anywhere" ...${more}>
      <${RouterLink} to=${{ pathname, search }}>${children}<//>
    <//>
  `;
}

function cleaned(parameters) {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== ""));
}
