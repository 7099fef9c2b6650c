// The page of runs: what happened to every payment.

import { Page, html } from "./ui.js";

function PaymentRuns() {
  return html`<${Page} title="Payment runs" about="What happened to every payment.">${() => null}<//>`;
}

globalThis["Payment runs"] = PaymentRuns;
