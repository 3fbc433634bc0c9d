//! Vectors of one length, packed for comparing one with very many.
//!
//! A tool's numbers are bytes, a query's have sixteen bits, and their product is summed in whole numbers: the same on
//! every machine and in every order, and quick, since the compiler turns the loop into vector instructions.

/// How many numbers a vector has: what the model was made with.
pub(crate) const DIMENSIONS: usize = 256;

/// The largest packed number of a tool.
const TOOL_RANGE: f32 = i8::MAX as f32;

/// The largest packed number of a query: 256 products with a tool's stay below 2^31.
const QUERY_RANGE: f32 = i16::MAX as f32;

/// A direction: a vector of length 1, or of zeros where a text has no known token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Direction([f32; DIMENSIONS]);

/// A tool's direction in bytes. Its numbers, times `scale`, are the direction's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Packed {
    pub scale: f32,
    pub values: [i8; DIMENSIONS],
}

/// A query's direction, ready to be compared with packed ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Probe {
    scale: f32,
    values: [i16; DIMENSIONS],
}

impl Direction {
    /// Of a sum of vectors.
    pub(crate) fn of(mut sum: [f32; DIMENSIONS]) -> Self {
        let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > 0.0 {
            sum.iter_mut().for_each(|value| *value /= length);
        }
        Self(sum)
    }

    /// This direction, bent towards another.
    pub(crate) fn towards(mut self, other: &Self, share: f32) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(value, other)| *value += share * other);
        Self::of(self.0)
    }

    /// Whether the text said nothing.
    pub(crate) fn is_zero(&self) -> bool {
        self.0.iter().all(|&value| value == 0.0)
    }

    pub(crate) fn pack(&self) -> Packed {
        let (scale, values) = self.quantized(TOOL_RANGE);
        Packed { scale, values: values.map(|value| value as i8) }
    }

    pub(crate) fn probe(&self) -> Probe {
        let (scale, values) = self.quantized(QUERY_RANGE);
        Probe { scale, values: values.map(|value| value as i16) }
    }

    /// Whole numbers up to `range`, and what one of them is worth.
    fn quantized(&self, range: f32) -> (f32, [f32; DIMENSIONS]) {
        let largest = self.0.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
        if largest == 0.0 {
            return (0.0, self.0);
        }
        (largest / range, self.0.map(|value| (value / largest * range).round()))
    }
}

impl Probe {
    /// The cosine with one direction, -1 to 1.
    pub(crate) fn cosine(&self, tool: &Packed) -> f32 {
        self.cosines(&[tool.values], &[tool.scale]).into_iter().sum()
    }

    /// The cosines with many tools' directions, -1 to 1.
    pub(crate) fn cosines(&self, tools: &[[i8; DIMENSIONS]], scales: &[f32]) -> Vec<f32> {
        let mut products = vec![0; tools.len()];
        self.products(tools, &mut products);
        products.into_iter().zip(scales).map(|(product, &scale)| product as f32 * self.scale * scale).collect()
    }

    /// The compiler's vector instructions depend on the processor, the sums do not.
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "the one way to call code made for a processor's instructions")]
    fn products(&self, tools: &[[i8; DIMENSIONS]], products: &mut [i32]) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
        fn with_avx512(query: &[i16; DIMENSIONS], tools: &[[i8; DIMENSIONS]], products: &mut [i32]) {
            all_products(query, tools, products);
        }
        #[target_feature(enable = "avx2")]
        fn with_avx2(query: &[i16; DIMENSIONS], tools: &[[i8; DIMENSIONS]], products: &mut [i32]) {
            all_products(query, tools, products);
        }
        let has_avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq");
        // SAFETY: the processor has the instructions, as has just been asked.
        if has_avx512 {
            unsafe { with_avx512(&self.values, tools, products) }
        } else if is_x86_feature_detected!("avx2") {
            unsafe { with_avx2(&self.values, tools, products) }
        } else {
            all_products(&self.values, tools, products);
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn products(&self, tools: &[[i8; DIMENSIONS]], products: &mut [i32]) {
        all_products(&self.values, tools, products);
    }
}

/// Inlined, so that it is compiled with the instructions its caller may use.
#[inline(always)]
fn all_products(query: &[i16; DIMENSIONS], tools: &[[i8; DIMENSIONS]], products: &mut [i32]) {
    for (product, tool) in products.iter_mut().zip(tools) {
        *product = tool.iter().zip(query).map(|(&tool, &query)| i32::from(tool) * i32::from(query)).sum();
    }
}

/// The product of two tools' directions, in units of both scales.
pub(crate) fn product(one: &[i8; DIMENSIONS], other: &[i8; DIMENSIONS]) -> i32 {
    one.iter().zip(other).map(|(&one, &other)| i32::from(one) * i32::from(other)).sum()
}
