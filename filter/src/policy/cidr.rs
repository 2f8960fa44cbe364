//! IP ranges. AWS: "IAM JSON policy elements: Condition operators", IP address condition operators.

use std::net::IpAddr;

/// `203.0.113.0/24`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cidr {
    network: IpAddr,
    prefix: u32,
}

/// Reads an address; an IPv4 address in the clothes of IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (v4.to_bits().into(), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

// === impl Cidr ===

impl Cidr {
    /// Reads a range; bits behind the prefix are not looked at.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (network, prefix) = match text.split_once('/') {
            Some((network, prefix)) => (network, Some(prefix)),
            None => (text, None),
        };
        let written: IpAddr = network.parse().ok()?;
        let width = bits(written).1;
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().filter(|prefix| *prefix <= width)?,
            Some(_) => return None,
        };
        match (written, written.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) if prefix >= 96 => Some(Self { network: mapped.into(), prefix: prefix - 96 }),
            _ => Some(Self { network: written, prefix }),
        }
    }

    /// Whether the address is in the range.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let ((network, width), (address, other_width)) = (bits(self.network), bits(address));
        let host_bits = width.saturating_sub(self.prefix);
        let cut = |bits: u128| bits.checked_shr(host_bits).unwrap_or(0);
        width == other_width && cut(network) == cut(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_should() {
        for (range, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.77/24", "203.0.113.1", "203.0.112.1"),
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("203.0.113.7/32", "::ffff:203.0.113.7", "::ffff:203.0.113.8"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:ffff::", "2001:db8:1234:5679::"),
            ("::1", "::1", "::2"),
            ("::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"),
            ("::ffff:192.0.2.0/96", "203.0.113.1", "::fffe:1"),
            ("::ffff:192.0.2.0/90", "::ffc1:0:1", "::ff81:0:1"),
        ] {
            let range = Cidr::parse(range).unwrap();
            assert!(range.contains(address(inside).unwrap()), "{inside} in {range:?}");
            assert!(!range.contains(address(outside).unwrap()), "{outside} in {range:?}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "/",
            "1.2.3",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/+8",
            "1.2.3.4/-1",
            "::/129",
            "fe80::1%eth0",
            "01.2.3.4",
            " 1.2.3.4",
        ] {
            assert!(Cidr::parse(text).is_none(), "{text}");
        }
    }
}
