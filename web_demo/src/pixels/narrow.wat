;; The inner loops of pillow_resize.ts, four channels at a time: 32-bit whole numbers, which wrap as there.
(module
  (import "page" "memory" (memory 1))

  ;; One row of RGBA, narrowed. All are addresses: the row's bytes, the filter's `first`, `starts` and `weights` (i32), and the
  ;; result: four i32 a pixel.
  (func (export "narrow") (param $row i32) (param $first i32) (param $starts i32) (param $weights i32) (param $out i32)
        (param $outputs i32)
    (local $from i32) (local $tap i32) (local $end i32) (local $last i32) (local $sum v128)
    (local.set $last (i32.add (local.get $out) (i32.shl (local.get $outputs) (i32.const 4))))
    (loop $pixel
      (local.set $from (i32.add (local.get $row) (i32.shl (i32.load (local.get $first)) (i32.const 2))))
      (local.set $tap (i32.add (local.get $weights) (i32.shl (i32.load (local.get $starts)) (i32.const 2))))
      (local.set $end (i32.add (local.get $weights) (i32.shl (i32.load offset=4 (local.get $starts)) (i32.const 2))))
      (local.set $sum (v128.const i32x4 2097152 2097152 2097152 2097152)) ;; a half, 22 bits behind the point
      (loop $taps
        (local.set $sum (i32x4.add (local.get $sum) (i32x4.mul
          (v128.load32_splat (local.get $tap))
          (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $from)))))))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))
        (local.set $tap (i32.add (local.get $tap) (i32.const 4)))
        (br_if $taps (i32.lt_u (local.get $tap) (local.get $end))))
      (v128.store (local.get $out) (i32x4.shr_s (local.get $sum) (i32.const 22)))
      (local.set $first (i32.add (local.get $first) (i32.const 4)))
      (local.set $starts (i32.add (local.get $starts) (i32.const 4)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $pixel (i32.lt_u (local.get $out) (local.get $last)))))

  ;; sums += weight * row, both of four i32 a pixel.
  (func (export "add") (param $sums i32) (param $row i32) (param $weight i32) (param $outputs i32)
    (local $last i32) (local $by v128)
    (local.set $by (i32x4.splat (local.get $weight)))
    (local.set $last (i32.add (local.get $sums) (i32.shl (local.get $outputs) (i32.const 4))))
    (loop $pixel
      (v128.store (local.get $sums) (i32x4.add (v128.load (local.get $sums))
        (i32x4.mul (local.get $by) (v128.load (local.get $row)))))
      (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
      (local.set $row (i32.add (local.get $row) (i32.const 16)))
      (br_if $pixel (i32.lt_u (local.get $sums) (local.get $last))))))
