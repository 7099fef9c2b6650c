// The page that composes, tests and copies one request.

import { EndpointPicker } from "./request/endpoints.js";
import { Form } from "./request/form.js";
import { Copies, Preview } from "./request/preview.js";
import { SendPanel } from "./request/send.js";
import { startOf, useComposed, visibleOf } from "./request/state.js";
import { Note, Page, ProblemBox, html, useQuery } from "./ui.js";

const { useEffect, useState } = globalThis.React;
const { Box, Grid, Stack } = globalThis.ChakraUI;
const { useSearchParams } = globalThis.ReactRouterDOM;

function NewPaymentRequest() {
  return html`
    <${Page} title="New payment request" about="Compose one call, see exactly what is sent, test it, copy it as code.">
      ${(me) => html`<${Choice} me=${me} />`}
    <//>
  `;
}

function Choice({ me }) {
  const [search, setSearch] = useSearchParams();
  const endpoints = useQuery("endpoints");
  const connections = useQuery("connections");
  const name = search.get("endpoint");
  const chosen = endpoints.data?.find((one) => one.name === name);
  const problem = endpoints.problem ?? connections.problem;
  if (problem) return html`<${ProblemBox} problem=${problem} onRetry=${() => (endpoints.reload(), connections.reload())} />`;
  return html`
    <${Stack} gap=${4}>
      ${connections.data?.length === 0 &&
      html`<${Note} status="warning" title="There is no connection of type Stripe Payment Records">
        Make one under Admin → Connections: the API key is its password. Then load this page again.
      <//>`}
      <${EndpointPicker}
        endpoints=${endpoints.data ?? []}
        chosen=${chosen}
        onChoose=${(one) => setSearch(one ? { endpoint: one.name } : {})}
      />
      ${chosen &&
      connections.data &&
      html`<${Composer} key=${chosen.name} endpoint=${chosen} connections=${connections.data} me=${me} />`}
    <//>
  `;
}

function Composer({ endpoint, connections, me }) {
  const form = useQuery(`endpoints/${endpoint.name}`);
  if (form.problem) return html`<${ProblemBox} problem=${form.problem} onRetry=${form.reload} />`;
  if (!form.data) return null;
  return html`<${Workbench} form=${form.data} connections=${connections} me=${me} />`;
}

function Workbench({ form, connections, me }) {
  const [draft, setDraft] = useState(() => startOf(form, connections));
  const [isAsked, setIsAsked] = useState(false);
  const groups = visibleOf(form.groups, draft.entries);
  const { composed, problem, isStale, retry } = useComposed(form.name, groups, draft);
  const connection = connections.find((one) => one.id === draft.connection);
  useEffect(() => setIsAsked(false), [form.name]);
  return html`
    <${Grid} templateColumns=${{ base: "minmax(0, 1fr)", xl: "minmax(0, 1fr) minmax(0, 1fr)" }} gap=${6}>
      <${Form}
        form=${form}
        groups=${groups}
        draft=${draft}
        onChange=${(change) => setDraft((before) => ({ ...before, ...change }))}
        connections=${connections}
        composed=${composed}
        showsAll=${isAsked}
        currencies=${me.currencies}
      />
      <${Box}>
        <${Stack}
          gap=${4}
          position=${{ xl: "sticky" }}
          top=${{ xl: 4 }}
          maxH=${{ xl: "calc(100vh - 2rem)" }}
          overflowY=${{ xl: "auto" }}
        >
          <${ProblemBox} problem=${problem} onRetry=${retry} />
          <${Preview} composed=${composed} isStale=${isStale} />
          <${SendPanel}
            form=${form}
            groups=${groups}
            draft=${draft}
            connection=${connection}
            composed=${composed}
            isStale=${isStale}
            may=${me.may}
            onAsk=${() => setIsAsked(true)}
          />
          <${Copies} composed=${composed} method=${form.method} />
        <//>
      <//>
    <//>
  `;
}

globalThis["New payment request"] = NewPaymentRequest;
