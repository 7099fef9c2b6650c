// A list of things as a table, or as one card below the other where there is no room for a table.

import { html } from "../ui.js";
import { useIsNarrow } from "./words.js";

const { Box, Stack, Table, Text } = globalThis.ChakraUI;

/**
 * Columns are {name, show, end}: *show* makes the cell of a row; *end* sets numbers to the right. The first column
 * heads a card.
 */
export function Rows({ label, columns, rows, keyOf }) {
  return useIsNarrow()
    ? html`<${Cards} label=${label} columns=${columns} rows=${rows} keyOf=${keyOf} />`
    : html`<${WideTable} label=${label} columns=${columns} rows=${rows} keyOf=${keyOf} />`;
}

function WideTable({ label, columns, rows, keyOf }) {
  return html`
    <${Table.ScrollArea} borderWidth="1px" rounded="md">
      <${Table.Root} size="sm" aria-label=${label}>
        <${Table.Header}>
          <${Table.Row} bg="bg.subtle">
            ${columns.map(
              (column) => html`
                <${Table.ColumnHeader} key=${column.name} scope="col" textAlign=${column.end ? "end" : "start"}>
                  ${column.name}
                <//>
              `,
            )}
          <//>
        <//>
        <${Table.Body}>
          ${rows.map(
            (row) => html`
              <${Table.Row} key=${keyOf(row)}>
                ${columns.map(
                  (column) => html`
                    <${Table.Cell} key=${column.name} textAlign=${column.end ? "end" : "start"} verticalAlign="top">
                      ${column.show(row)}
                    <//>
                  `,
                )}
              <//>
            `,
          )}
        <//>
      <//>
    <//>
  `;
}

function Cards({ label, columns, rows, keyOf }) {
  const [head, ...others] = columns;
  return html`
    <${Stack} as="ul" listStyleType="none" aria-label=${label} gap=${3}>
      ${rows.map(
        (row) => html`
          <${Box} as="li" key=${keyOf(row)} borderWidth="1px" rounded="md" p=${3}>
            <${Box} mb=${2} fontWeight="medium">${head.show(row)}<//>
            ${others.map(
              (column) => html`
                <${Box} key=${column.name} display="flex" gap=${2} py="1px" flexWrap="wrap">
                  <${Text} color="fg.muted" fontSize="sm" minW="5.5rem">${column.name}<//>
                  <${Box} flex="1" minW=${0} fontSize="sm">${column.show(row)}<//>
                <//>
              `,
            )}
          <//>
        `,
      )}
    <//>
  `;
}

/** A part of a page under a heading. */
export function Part({ title, side, children }) {
  return html`
    <${Box} as="section" mt=${8} aria-label=${title}>
      <${Box} display="flex" alignItems="center" justifyContent="space-between" gap=${3} mb=${3} flexWrap="wrap">
        <${Text} as="h3" fontSize="lg" fontWeight="semibold">${title}<//>
        ${side}
      <//>
      ${children}
    <//>
  `;
}

/** Labels and their values: beside each other, or below each other where there is no room. */
export function Facts({ children }) {
  return html`
    <${Box}
      as="dl"
      display="grid"
      gridTemplateColumns=${{ base: "minmax(0, 1fr)", md: "9rem minmax(0, 1fr)" }}
      columnGap=${4}
      rowGap=${{ base: 0, md: 2 }}
      fontSize="sm"
    >
      ${children}
    <//>
  `;
}

/** One of them. */
export function Item({ label, children }) {
  return html`
    <${Box} as="dt" color="fg.muted">${label}<//>
    <${Box} as="dd" overflowWrap="anywhere" mb=${{ base: 3, md: 0 }}>${children}<//>
  `;
}

/** Nothing to show, said in words. */
export function Nothing({ children }) {
  return html`<${Text} color="fg.muted" py=${2}>${children}<//>`;
}
