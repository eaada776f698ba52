//! Colours as eyes compare them.

/// A colour in CIE L*a*b* of a D65 white: L 0..=100.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lab {
    /// Lightness.
    pub l: f32,
    /// Green to red.
    pub a: f32,
    /// Blue to yellow.
    pub b: f32,
}

impl Lab {
    /// Of sRGB values 0..=255.
    pub fn of([r, g, b]: [f32; 3]) -> Self {
        let linear = |v: f32| {
            let v = (v / 255.0).clamp(0.0, 1.0);
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        let (r, g, b) = (linear(r), linear(g), linear(b));
        let cube = |t: f32| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = cube((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = cube(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = cube((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        Self { l: 116.0 * y - 16.0, a: 500.0 * (x - y), b: 200.0 * (y - z) }
    }

    /// How far it is from grey.
    pub fn chroma(self) -> f32 {
        self.a.hypot(self.b)
    }

    /// How far two colours lie apart, whatever their lightness.
    pub fn apart(self, other: Self) -> f32 {
        (self.a - other.a).hypot(self.b - other.b)
    }

    /// The mean of several; none of none.
    pub fn mean(colours: &[Self]) -> Option<Self> {
        let count = colours.len() as f32;
        let sum = |of: fn(&Self) -> f32| colours.iter().map(of).sum::<f32>() / count;
        (!colours.is_empty()).then(|| Self { l: sum(|c| c.l), a: sum(|c| c.a), b: sum(|c| c.b) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_the_tables() {
        let near = |rgb: [f32; 3], want: [f32; 3]| {
            let Lab { l, a, b } = Lab::of(rgb);
            assert!([l, a, b].iter().zip(want).all(|(x, y)| (x - y).abs() < 0.3), "{rgb:?}: {l} {a} {b}");
        };
        near([255.0; 3], [100.0, 0.0, 0.0]);
        near([0.0; 3], [0.0, 0.0, 0.0]);
        near([255.0, 0.0, 0.0], [53.2, 80.1, 67.2]);
        near([0.0, 0.0, 255.0], [32.3, 79.2, -107.9]);
    }

    #[test]
    fn means_and_distances() {
        let [red, grey] = [Lab { l: 40.0, a: 30.0, b: 40.0 }, Lab { l: 60.0, a: 0.0, b: 0.0 }];
        assert_eq!((red.chroma(), red.apart(grey), grey.chroma()), (50.0, 50.0, 0.0));
        assert_eq!(Lab::mean(&[red, grey]), Some(Lab { l: 50.0, a: 15.0, b: 20.0 }));
        assert_eq!(Lab::mean(&[]), None);
    }
}
