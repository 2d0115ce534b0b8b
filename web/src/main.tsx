import { render } from "preact";
import { App } from "./views/App.tsx";
import { loadRich } from "./ui/markdown.tsx";
import { watch } from "./ui/state.ts";
import "./styles/index.css";

void loadRich();
watch();
render(<App />, document.getElementById("page")!);
addEventListener("load", () => void import("./offline.ts").then((m) => m.keepPage()));
