// Runs graphs in onnxruntime-web as the app does (WebAssembly, one thread), on tensors from files; prints what they say.
import { readFileSync } from "node:fs";

const [runtime, cases] = process.argv.slice(2);
const ort = await import(runtime);
ort.env.wasm.numThreads = 1;
const said = {};
for (const { graph, input, type, dims, file, outputs } of JSON.parse(cases)) {
  const options = { executionProviders: ["wasm"], logSeverityLevel: 3 };
  const session = await ort.InferenceSession.create(readFileSync(graph), options);
  const bytes = new Uint8Array(readFileSync(file));
  const data = type === "uint8" ? bytes : new Float32Array(bytes.buffer);
  const found = await session.run({ [input]: new ort.Tensor(type, data, dims) }, outputs);
  said[graph] = Object.fromEntries(outputs.map((name) => [name, Array.from(found[name].data)]));
}
console.log(JSON.stringify(said));
