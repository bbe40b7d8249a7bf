import "uplot/dist/uPlot.min.css";
import "./page.css";
import { render } from "preact";
import { Page } from "./page.tsx";

render(<Page />, document.body);
