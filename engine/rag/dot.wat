(module
  (memory (export "memory") 1)
  ;; out[row] = sum over dims of query[d] * rows[row][d], as 8-bit integers; dims is a multiple of 16
  (func (export "dots") (param $query i32) (param $row i32) (param $count i32) (param $dims i32) (param $out i32)
    (local $d i32) (local $sum v128) (local $a v128) (local $b v128)
    (block $done
      (loop $rows
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $sum (v128.const i32x4 0 0 0 0))
        (local.set $d (i32.const 0))
        (loop $cells
          (local.set $a (v128.load (i32.add (local.get $query) (local.get $d))))
          (local.set $b (v128.load (i32.add (local.get $row) (local.get $d))))
          (local.set $sum
            (i32x4.add
              (local.get $sum)
              (i32x4.add
                (i32x4.extadd_pairwise_i16x8_s (i16x8.extmul_low_i8x16_s (local.get $a) (local.get $b)))
                (i32x4.extadd_pairwise_i16x8_s (i16x8.extmul_high_i8x16_s (local.get $a) (local.get $b))))))
          (local.set $d (i32.add (local.get $d) (i32.const 16)))
          (br_if $cells (i32.lt_u (local.get $d) (local.get $dims))))
        (i32.store
          (local.get $out)
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
            (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
        (local.set $row (i32.add (local.get $row) (local.get $dims)))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $rows)))))
