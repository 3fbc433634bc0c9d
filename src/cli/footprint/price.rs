//! Money: a price that the user sets, in a currency that we know nothing about.

/// What a million input tokens cost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Price {
    /// The amount.
    pub per_million: f64,
    /// A sign or a code; may be empty.
    pub currency: String,
}

/// Reads `--price`.
pub(super) fn parse(text: &str) -> Result<f64, String> {
    let price: f64 = text.trim().parse().map_err(|_| "write a number, like 3.00".to_owned())?;
    if price.is_finite() && (0.0..=1e9).contains(&price) { Ok(price) } else { Err("write an amount from 0 up".into()) }
}

impl Price {
    pub(super) fn new(per_million: f64, currency: &str) -> Self {
        // It goes into tables and pictures: one short word.
        let currency = currency.chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(8).collect();
        Self { per_million, currency }
    }

    /// What so many tokens cost.
    pub(super) fn amount(&self, tokens: u64) -> f64 {
        self.per_million * tokens as f64 / 1_000_000.0
    }

    /// The same as it is shown: as many digits as tell it from nothing.
    pub(super) fn of(&self, tokens: u64) -> String {
        self.with_currency(self.amount(tokens))
    }

    /// The price of a million itself.
    pub(super) fn shown(&self) -> String {
        self.with_currency(self.per_million)
    }

    fn with_currency(&self, amount: f64) -> String {
        let digits = match amount {
            _ if amount == 0.0 || amount >= 0.995 => 2,
            _ if amount >= 0.01 => 4,
            _ => 6,
        };
        let number = format!("{amount:.digits$}");
        match self.currency.chars().next() {
            None => number,
            // A code stands behind the amount, a sign before it.
            Some(first) if first.is_alphabetic() => format!("{number} {}", self.currency),
            Some(_) => format!("{}{number}", self.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_with_the_digits_that_they_need() {
        let price = Price::new(3.0, "$");
        assert_eq!(
            [0, 490, 20_000, 400_000, 287_934_000].map(|tokens| price.of(tokens)),
            ["$0.00", "$0.001470", "$0.0600", "$1.20", "$863.80"]
        );
        assert_eq!((Price::new(2.5, "EUR").shown(), Price::new(2.5, "").shown()), ("2.50 EUR".into(), "2.50".into()));
        assert_eq!(Price::new(1.0, "<b>\u{1b}[31m long").currency, "<b>[31ml");
    }

    #[test]
    fn a_price_is_a_number_from_nothing_up() {
        assert_eq!(parse(" 3.00 "), Ok(3.0));
        assert!(["", "-1", "NaN", "inf", "3,00", "1e300"].iter().all(|text| parse(text).is_err()));
    }
}
