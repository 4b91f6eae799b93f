// A page of one's own on the module, in twenty lines. It lies beside lariqa.js, runtime/ and model/ of web_demo/site.

import { load, Refusal } from "./lariqa.js";

const [state, picker, list] = ["state", "photos", "scores"].map((id) => document.getElementById(id));
const say = (error) => (error instanceof Refusal ? error.sentence : `unexpected: ${error}`);

try {
  const scorer = await load("model/"); // sha256 and golden photo are checked before this returns
  state.textContent = `${scorer.artifact.file} scored the golden photo as PyTorch does`;
  picker.disabled = false;
  picker.onchange = async () => {
    for (const file of picker.files) {
      const line = list.appendChild(document.createElement("li"));
      line.textContent = await scorer.score(file).then(({ score }) => `${score.toFixed(4)}  ${file.name}`, say);
    }
  };
} catch (error) {
  state.textContent = say(error); // this device scores otherwise, a file is another one: no score is shown
}
