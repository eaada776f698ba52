//! Square roots and eigenvalues of symmetric matrices, as far as a Fréchet distance needs them. Pure.

/// A square symmetric matrix, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Symmetric {
    /// Rows, and columns.
    pub size: usize,
    /// `size * size` values.
    pub values: Vec<f64>,
}

impl Symmetric {
    /// All zero.
    pub fn zero(size: usize) -> Self {
        Self { size, values: vec![0.0; size * size] }
    }

    /// Row `i`, which is column `i`, too.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.size..(i + 1) * self.size]
    }

    /// The sum of the diagonal.
    pub fn trace(&self) -> f64 {
        (0..self.size).map(|i| self.values[i * self.size + i]).sum()
    }

    /// A factor F of a matrix without negative eigenvalues, for which F F' is the matrix: its columns, as many as the matrix has rank.
    /// Cholesky's with the largest pivot first, which ends where nothing but rounding is left.
    pub fn factor(&self) -> Vec<Vec<f64>> {
        let n = self.size;
        let mut left: Vec<f64> = (0..n).map(|i| self.values[i * n + i]).collect();
        let least = left.iter().copied().fold(0.0, f64::max) * n as f64 * f64::EPSILON;
        let mut columns: Vec<Vec<f64>> = Vec::new();
        while columns.len() < n {
            let Some((at, pivot)) = left.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)) else { break };
            if pivot <= least {
                break;
            }
            let mut column = self.row(at).to_vec();
            for before in &columns {
                add(&mut column, before, -before[at]);
            }
            let scale = pivot.sqrt().recip();
            column.iter_mut().for_each(|v| *v *= scale);
            left.iter_mut().zip(&column).for_each(|(left, v)| *left -= v * v);
            // What was a pivot is used up, whatever rounding says.
            left[at] = f64::NEG_INFINITY;
            columns.push(column);
        }
        columns
    }

    /// F' S F for this matrix S and the columns of F.
    #[must_use]
    pub fn between(&self, columns: &[Vec<f64>]) -> Self {
        let mut made = Self::zero(columns.len());
        for (i, column) in columns.iter().enumerate() {
            let times: Vec<f64> = (0..self.size).map(|row| dot(self.row(row), column)).collect();
            for (j, other) in columns.iter().enumerate().take(i + 1) {
                let value = dot(&times, other);
                made.values[i * made.size + j] = value;
                made.values[j * made.size + i] = value;
            }
        }
        made
    }

    /// The eigenvalues, ascending: Householder's reduction to three diagonals, then bisection by Sturm's count, which cannot fail.
    pub fn eigenvalues(mut self) -> Vec<f64> {
        let n = self.size;
        let (mut diagonal, mut beside) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for k in 0..n {
            diagonal.push(self.values[k * n + k]);
            if k + 1 < n {
                beside.push(self.reduce(k));
            }
        }
        bisect(&diagonal, &beside)
    }

    /// Has everything of row `k` right of its neighbour vanish, and returns the neighbour.
    fn reduce(&mut self, k: usize) -> f64 {
        let n = self.size;
        let mut v: Vec<f64> = self.values[k * n + k + 1..(k + 1) * n].to_vec();
        let length = dot(&v, &v).sqrt();
        let rest: f64 = v[1..].iter().map(|x| x.abs()).sum();
        if rest == 0.0 {
            return v[0];
        }
        let neighbour = -length.copysign(v[0]);
        v[0] -= neighbour;
        let half = dot(&v, &v) / 2.0;
        let below = |i: usize| (k + 1 + i) * n + k + 1..(k + 2 + i) * n;
        let mut w: Vec<f64> = (0..v.len()).map(|i| dot(&self.values[below(i)], &v) / half).collect();
        let share = dot(&w, &v) / (2.0 * half);
        add(&mut w, &v, -share);
        for i in 0..v.len() {
            let row = &mut self.values[below(i)];
            let (a, b) = (v[i], w[i]);
            row.iter_mut().zip(&w).zip(&v).for_each(|((value, w), v)| *value -= a * w + b * v);
        }
        neighbour
    }
}

/// The eigenvalues of a matrix of three diagonals, ascending.
fn bisect(diagonal: &[f64], beside: &[f64]) -> Vec<f64> {
    let n = diagonal.len();
    let squares: Vec<f64> = beside.iter().map(|b| b * b).collect();
    let reach = |i: usize| {
        let (left, right) = (i.checked_sub(1).map_or(0.0, |i| beside[i].abs()), beside.get(i).map_or(0.0, |b| b.abs()));
        left + right
    };
    // Gershgorin's circles.
    let (low, high) = (0..n).fold((f64::MAX, f64::MIN), |(low, high), i| {
        (low.min(diagonal[i] - reach(i)), high.max(diagonal[i] + reach(i)))
    });
    let smallest = f64::MIN_POSITIVE.max(f64::EPSILON * f64::EPSILON * high.abs().max(low.abs()));
    let below = |x: f64| {
        let (mut count, mut q) = (0, 1.0_f64);
        for (i, on_it) in diagonal.iter().enumerate() {
            let square = i.checked_sub(1).map_or(0.0, |i| squares[i]);
            q = on_it - x - square / if q.abs() < smallest { smallest.copysign(q) } else { q };
            count += usize::from(q < 0.0);
        }
        count
    };
    let nth = |k: usize| {
        let (mut low, mut high) = (low, high);
        loop {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                return middle;
            }
            if below(middle) > k { high = middle } else { low = middle }
        }
    };
    (0..n).map(nth).collect()
}

/// Four sums side by side, so that the processor adds them at once.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sums, whole) = ([0.0; 4], a.len() / 4 * 4);
    for (a, b) in a[..whole].chunks_exact(4).zip(b[..whole].chunks_exact(4)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f64 = a[whole..].iter().zip(&b[whole..]).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

fn add(to: &mut [f64], what: &[f64], times: f64) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += what * times);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(size: usize, at: impl Fn(usize, usize) -> f64) -> Symmetric {
        Symmetric { size, values: (0..size * size).map(|i| at(i / size, i % size)).collect() }
    }

    #[test]
    fn eigenvalues_of_known_matrices() {
        // 2 on the diagonal and 1 beside it: 2 + 2 cos(k pi / (n + 1)).
        let n = 9;
        let found = of(n, |i, j| [2.0, 1.0, 0.0][i.abs_diff(j).min(2)]).eigenvalues();
        for (k, value) in found.iter().enumerate() {
            let wanted = 2.0 - 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64).cos();
            assert!((value - wanted).abs() < 1e-13, "{value} {wanted}");
        }
        // All one: n, and zeros.
        let found = of(6, |_, _| 1.0).eigenvalues();
        assert!(found[..5].iter().all(|v| v.abs() < 1e-14) && (found[5] - 6.0).abs() < 1e-13, "{found:?}");
        assert_eq!(of(1, |_, _| -3.0).eigenvalues(), [-3.0]);
        assert!(of(0, |_, _| 0.0).eigenvalues().is_empty());
        assert_eq!(of(3, |_, _| 0.0).eigenvalues(), [0.0; 3]);
    }

    #[test]
    fn a_factor_has_as_many_columns_as_the_matrix_has_rank() {
        let [a, b] = [[1.0, 2.0, -1.0, 0.5, 3.0], [0.0, 1.0, 1.0, -2.0, 0.25]];
        let columns = of(5, |i, j| a[i] * a[j] + b[i] * b[j]).factor();
        assert_eq!(columns.len(), 2);
        assert!(of(4, |_, _| 0.0).factor().is_empty());
    }

    proptest! {
        #[test]
        fn eigenvalues_keep_the_trace_and_the_norm(size in 1_usize..14, seed in prop::collection::vec(-4.0_f64..4.0, 200)) {
            let matrix = of(size, |i, j| seed[i.max(j) * 14 + i.min(j)]);
            let (trace, norm) = (matrix.trace(), dot(&matrix.values, &matrix.values));
            let found = matrix.eigenvalues();
            prop_assert!(found.is_sorted());
            prop_assert!((found.iter().sum::<f64>() - trace).abs() < 1e-11);
            prop_assert!((dot(&found, &found) - norm).abs() < 1e-9 * norm.max(1.0));
        }

        #[test]
        fn a_factor_times_itself_is_the_matrix(
            size in 1_usize..10, rank in 1_usize..12, seed in prop::collection::vec(-2.0_f64..2.0, 120),
        ) {
            let data = |row: usize, i: usize| seed[row * 10 + i];
            let matrix = of(size, |i, j| (0..rank).map(|row| data(row, i) * data(row, j)).sum());
            let columns = matrix.factor();
            prop_assert!(columns.len() <= rank.min(size));
            for i in 0..size {
                for j in 0..size {
                    let made: f64 = columns.iter().map(|c| c[i] * c[j]).sum();
                    prop_assert!((made - matrix.values[i * size + j]).abs() < 1e-9, "{} {}", i, j);
                }
            }
        }

        #[test]
        fn a_matrix_between_the_columns_of_one_is_the_matrix(size in 1_usize..9, seed in prop::collection::vec(-2.0_f64..2.0, 81)) {
            let matrix = of(size, |i, j| seed[i.max(j) * 9 + i.min(j)]);
            let one: Vec<Vec<f64>> = (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
            prop_assert_eq!(matrix.between(&one), matrix);
        }
    }
}
