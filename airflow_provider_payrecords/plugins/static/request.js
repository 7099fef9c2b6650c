// The page that composes, tests and copies one request.

import { Page, html } from "./ui.js";

function NewPaymentRequest() {
  return html`<${Page} title="New payment request" about="Compose one call, look at it, test it, copy it.">
    ${() => null}
  <//>`;
}

globalThis["New payment request"] = NewPaymentRequest;
