// Messages as Markdown: marked's lexer gives tokens, an allow list makes elements of them. No HTML is
// ever parsed or written; what is not on the list stays the text that was typed.
import { Lexer, Tokenizer, type Token, type Tokens } from "marked";
import { mentionsIn, same } from "../core/mentions.ts";
import { t } from "../strings.ts";
import { IconButton } from "./basics.tsx";
import { copy } from "./clipboard.ts";

const deepest = 12; // levels of quotes and lists; deeper ones stay text
const mostCells = 1_000; // of a table; larger ones stay text

/**
 * Reader leaves large tables alone: marked fills each row up to the width of the first, so that a message of
 * 16 KB makes millions of cells, and a page that reads it stands still for many seconds.
 */
class Reader extends Tokenizer {
  override table(src: string): Tokens.Table | undefined {
    const width = src.slice(0, src.indexOf("\n") + 1).split("|").length;
    const rows = width > mostCells ? 0 : (this.rules.block.table.exec(src)?.[0].split("\n").length ?? 0);
    return rows > 0 && width * rows <= mostCells ? super.table(src) : undefined;
  }
}

/** read gives the tokens of a text. */
function read(text: string): Token[] {
  return new Lexer({ gfm: true, breaks: true, tokenizer: new Reader() }).lex(text);
}

/** rich shows a text as Markdown; what cannot be read stays as it was typed. */
export function rich(text: string, me: string): preact.ComponentChildren {
  let tokens: Token[];
  try {
    tokens = read(text);
  } catch {
    return <p>{text}</p>; // as quotes nested deeper than the stack
  }
  return blocks(tokens, me, 0);
}

/** safe gives the address of a link that may be followed, "" for others. */
export function safe(href: string): string {
  try {
    const url = new URL(href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

function blocks(tokens: Token[], me: string, depth: number): preact.ComponentChildren[] {
  return tokens.map((token) => block(token, me, depth));
}

function block(token: Token, me: string, depth: number): preact.ComponentChildren {
  if (depth > deepest) return <p>{token.raw}</p>;
  switch (token.type) {
    case "space":
      return null;
    case "paragraph":
      return <p>{inline(token, me, depth)}</p>;
    case "heading":
      return <p class="heading">{inline(token, me, depth)}</p>;
    case "blockquote":
      return <blockquote>{blocks(token.tokens ?? [], me, depth + 1)}</blockquote>;
    case "code":
      return <Code text={token.text as string} />;
    case "hr":
      return <hr />;
    case "list":
      return list(token as Tokens.List, me, depth);
    case "table":
      return table(token as Tokens.Table, me, depth);
    case "text":
      return token.tokens ? <>{inline(token, me, depth)}</> : plain(token.raw, me);
    default: // definitions and HTML stay as they were typed
      return <p>{plain(token.raw.replace(/\n+$/, ""), me)}</p>;
  }
}

function list(token: Tokens.List, me: string, depth: number): preact.ComponentChildren {
  const items = token.items.map((item) => <li>{blocks(item.tokens, me, depth + 1)}</li>);
  if (!token.ordered) return <ul>{items}</ul>;
  return <ol start={Number(token.start) || 1}>{items}</ol>;
}

/** table shows a table; a wide one scrolls within its message. */
function table({ header, rows }: Tokens.Table, me: string, depth: number): preact.ComponentChildren {
  const cells = (row: Tokens.TableCell[], Cell: "th" | "td"): preact.ComponentChildren => (
    <tr>
      {row.map(({ align, tokens }) => (
        <Cell class={align ?? undefined}>{tokens.map((token) => span(token, me, depth + 1))}</Cell>
      ))}
    </tr>
  );
  return (
    <div class="table" tabIndex={0} role="group" aria-label={t.message.table}>
      <table>
        <thead>{cells(header, "th")}</thead>
        <tbody>{rows.map((row) => cells(row, "td"))}</tbody>
      </table>
    </div>
  );
}

function inline(token: Token, me: string, depth: number): preact.ComponentChildren {
  const tokens = "tokens" in token ? token.tokens : undefined;
  if (!tokens || depth > deepest) return plain(token.raw, me);
  return tokens.map((child) => span(child, me, depth + 1));
}

function span(token: Token, me: string, depth: number): preact.ComponentChildren {
  switch (token.type) {
    case "strong":
      return <strong>{inline(token, me, depth)}</strong>;
    case "em":
      return <em>{inline(token, me, depth)}</em>;
    case "del":
      return <s>{inline(token, me, depth)}</s>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "escape":
      return token.text as string;
    case "link":
      return link(token as Tokens.Link, me, depth);
    case "text":
      return token.tokens ? inline(token, me, depth) : plain(token.raw, me);
    default: // images and HTML
      return plain(token.raw, me);
  }
}

function link(token: Tokens.Link, me: string, depth: number): preact.ComponentChildren {
  const href = safe(token.href);
  if (!href) return plain(token.raw, me);
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
      {inline(token, "", depth)}
    </a>
  );
}

/** plain shows text with the users that it names. */
export function plain(text: string, me: string): preact.ComponentChildren {
  const found = text.includes("@") ? mentionsIn(text) : [];
  if (found.length === 0) return text;
  const parts: preact.ComponentChildren[] = [];
  let done = 0;
  for (const { name, at, end } of found) {
    parts.push(text.slice(done, at));
    parts.push(<span class={same(name, me) ? "mention mine" : "mention"}>{text.slice(at, end)}</span>);
    done = end;
  }
  return [...parts, text.slice(done)];
}

function Code({ text }: { text: string }) {
  return (
    <div class="code">
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <IconButton icon="copy" label={t.message.copyCode} onClick={() => void copy(text)} />
    </div>
  );
}
