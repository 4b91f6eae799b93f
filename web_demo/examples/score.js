// The shortest use of the module: one photo to its score.

import { load } from "./lariqa.js";

const scorer = await load("model/"); // a folder that `lariqa export` wrote; refused where it could not be trusted
const scoreOf = async (photo) => (await scorer.score(photo)).score; // a File, Blob, ImageBitmap or ImageData

export { scoreOf };
