//! Damaging an IPv4 packet so that the receiving program gets to see it.

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;

/// Turns one bit of what an IPv4 packet carries for a program, and makes its checksum right again
/// (RFC 1071), since the receiving kernel drops a packet whose checksum is wrong. `where_to`
/// chooses the bit. A packet that carries nothing for a program, or is only a part of one, is
/// left alone.
///
/// Returns whether a bit was turned.
pub fn damage(packet: &mut [u8], where_to: u64) -> bool {
    let Some((payload, checksum)) = layout(packet) else { return false };
    let bits = (packet.len() - payload) as u64 * 8;
    if bits == 0 {
        return false;
    }
    let bit = where_to % bits;
    packet[payload + (bit / 8) as usize] ^= 1 << (bit % 8);
    let header = header_bytes(packet);
    packet[checksum..checksum + 2].fill(0);
    let sum = internet_checksum(&pseudo_header(packet), &packet[header..]);
    packet[checksum..checksum + 2].copy_from_slice(&sum.to_be_bytes());
    true
}

fn header_bytes(packet: &[u8]) -> usize {
    usize::from(packet[0] & 0x0f) * 4
}

/// Where the data of a whole TCP, UDP or ICMP packet begins, and where its checksum is.
fn layout(packet: &[u8]) -> Option<(usize, usize)> {
    if packet.len() < 20 || packet[0] >> 4 != 4 {
        return None;
    }
    let fragment = u16::from_be_bytes([packet[6], packet[7]]) & 0x3fff != 0;
    let header = header_bytes(packet);
    let (data, checksum) = match packet[9] {
        TCP => (usize::from(packet.get(header + 12)? >> 4) * 4, 16),
        UDP => (8, 6),
        ICMP => (8, 2),
        _ => return None,
    };
    let whole = !fragment && packet.len() >= header + data.max(checksum + 2);
    whole.then_some((header + data, header + checksum))
}

/// What the checksum covers besides the packet (RFC 9293, RFC 768); nothing for ICMP.
fn pseudo_header(packet: &[u8]) -> Vec<u8> {
    if packet[9] == ICMP {
        return Vec::new();
    }
    let length = (packet.len() - header_bytes(packet)) as u16;
    [&packet[12..20], &[0, packet[9]], &length.to_be_bytes()].concat()
}

/// The checksum of two parts, the first of an even length.
fn internet_checksum(first: &[u8], second: &[u8]) -> u16 {
    let words = first.chunks(2).chain(second.chunks(2));
    let mut sum: u64 = words
        .map(|word| u64::from(u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 10.77.0.1 to 10.77.0.2, with a right checksum.
    fn packet(protocol: u8, transport: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0];
        packet.extend([10, 77, 0, 1, 10, 77, 0, 2]);
        packet.extend(transport);
        packet
    }

    /// 0 if the checksum in the packet is right.
    fn remainder(packet: &[u8]) -> u16 {
        internet_checksum(&pseudo_header(packet), &packet[20..])
    }

    #[test]
    fn one_bit_of_the_data_is_turned_and_the_checksum_is_right() {
        let udp = [0, 9, 0, 9, 0, 13, 0, 0, 1, 2, 3, 4, 5];
        let mut tcp = [0; 25];
        tcp[12] = 5 << 4;
        let icmp = [8, 0, 0, 0, 0, 1, 0, 1, 7];
        for (protocol, transport, data) in
            [(UDP, &udp[..], 28), (TCP, &tcp[..], 40), (ICMP, &icmp[..], 28)]
        {
            let whole = packet(protocol, transport);
            for where_to in 0..1000 {
                let mut damaged = whole.clone();
                assert!(damage(&mut damaged, where_to));
                assert_eq!(remainder(&damaged), 0, "protocol {protocol}");
                let turned: u32 = whole[data..]
                    .iter()
                    .zip(&damaged[data..])
                    .map(|(a, b)| (a ^ b).count_ones())
                    .sum();
                assert_eq!(turned, 1);
            }
        }
    }

    #[test]
    fn what_carries_nothing_or_is_no_whole_packet_is_left_alone() {
        let empty = packet(UDP, &[0, 9, 0, 9, 0, 8, 0, 0]);
        let mut fragment = packet(UDP, &[0; 40]);
        fragment[6] = 0x20;
        let other = packet(89, &[0; 40]);
        let cut = packet(TCP, &[0; 10]);
        for whole in [empty, fragment, other, cut, vec![], vec![0x60; 60]] {
            let mut same = whole.clone();
            assert!(!damage(&mut same, 3));
            assert_eq!(same, whole);
        }
    }
}
