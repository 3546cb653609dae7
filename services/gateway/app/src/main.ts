import { Reader } from "./reading/reader";
document.title = String(new Reader());
