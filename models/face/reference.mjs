// What tfjs makes of pictures: node reference.mjs MODULES GRAPH.json WEIGHTS.bin SIDE PICTURES ANSWERS NODE...
// MODULES is the folder whose node_modules holds @tensorflow/tfjs; PICTURES and ANSWERS are 32-bit floats, a picture
// SIDExSIDEx3 of them, an answer the values of the nodes one after the other.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, graphFile, weightsFile, side, picturesFile, answersFile, ...nodes] = process.argv.slice(2);
const tf = createRequire(`${modules}/`)("@tensorflow/tfjs");
await tf.setBackend("cpu");
const SIDE = Number(side);

const bytes = (file) => {
  const data = readFileSync(file);
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
};
const graph = JSON.parse(readFileSync(graphFile, "utf8"));
const model = await tf.loadGraphModel({
  load: async () => ({
    modelTopology: graph.modelTopology,
    format: graph.format,
    signature: graph.signature,
    weightSpecs: graph.weightsManifest.flatMap((group) => group.weights),
    weightData: bytes(weightsFile),
  }),
});
const pictures = new Float32Array(bytes(picturesFile));
const answers = [];
for (let at = 0; at < pictures.length; at += SIDE * SIDE * 3) {
  const image = tf.tensor(pictures.slice(at, at + SIDE * SIDE * 3), [1, SIDE, SIDE, 3]);
  for (const answer of [model.execute(image, nodes)].flat()) answers.push(...answer.dataSync());
}
writeFileSync(answersFile, Buffer.from(new Float32Array(answers).buffer));
