use num_bigint::BigUint;

use super::*;

/// Made by `ssh-keygen`, one of each kind it makes without hardware: fingerprint, then the key.
const SOUND: &str = include_str!("../../tests/data/sound-keys.txt");

fn sound() -> impl Iterator<Item = (&'static str, &'static str)> {
    SOUND.lines().filter_map(|line| line.split_once(' '))
}

fn of_kind(kind: KeyKind) -> AuthorizedKey {
    sound()
        .map(|(_, line)| AuthorizedKey::parse(line).unwrap())
        .find(|key| key.kind() == kind)
        .unwrap()
}

fn blob(fields: &[&[u8]]) -> Vec<u8> {
    let prefixed =
        |field: &&[u8]| [&u32::try_from(field.len()).unwrap().to_be_bytes(), *field].concat();
    fields.iter().flat_map(prefixed).collect()
}

fn line(kind: KeyKind, fields: &[&[u8]]) -> String {
    let blob = blob(&[&[kind.word().as_bytes()], fields].concat());
    format!("{} {}", kind.word(), STANDARD.encode(blob))
}

fn mpint(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    if bytes[0] >= 0x80 { [&[0], bytes.as_slice()].concat() } else { bytes }
}

fn rsa(exponent: &BigUint, modulus: &BigUint) -> Result<AuthorizedKey, KeyError> {
    AuthorizedKey::parse(&line(KeyKind::Rsa, &[&mpint(exponent), &mpint(modulus)]))
}

fn power(bits: u32) -> BigUint {
    BigUint::from(1u8) << bits
}

/// The modulus of the sound 2048-bit key.
fn modulus() -> BigUint {
    BigUint::from_bytes_be(&of_kind(KeyKind::Rsa).blob()[4 + 7 + 4 + 3 + 4..])
}

fn e() -> BigUint {
    BigUint::from(65_537u32)
}

fn degenerate<T: std::fmt::Debug>(result: Result<T, KeyError>) -> &'static str {
    match result {
        Err(KeyError::Degenerate { why }) => why,
        other => panic!("{other:?}"),
    }
}

fn damaged<T: std::fmt::Debug>(result: Result<T, KeyError>) -> &'static str {
    match result {
        Err(KeyError::Damaged { why }) => why,
        other => panic!("{other:?}"),
    }
}

// sec:K-01 sec:K-02
#[test]
fn sound_keys_are_taken_and_written_as_they_were() {
    for (fingerprint, line) in sound() {
        let key = AuthorizedKey::parse(line).unwrap();
        assert_eq!(key.fingerprint(), fingerprint);
        assert_eq!(key.to_string(), line);
        assert_eq!(key.line().as_str(), line);
        assert_eq!(key.line().fingerprint(), fingerprint);
        assert_eq!(KeyLine::parse(line), Ok(key.line()));
        let untidy = format!(" \t{}\r\n", line.replacen(' ', "   ", 1));
        assert_eq!(AuthorizedKey::parse(&untidy), Ok(key));
    }
    assert_eq!(sound().count(), 6);
}

// sec:K-02
#[test]
fn security_keys_are_taken_for_ssh_alone() {
    let point = of_kind(KeyKind::Ed25519).blob()[19..].to_vec();
    let curve_point = of_kind(KeyKind::EcdsaP256).blob()[4 + 19 + 4 + 8 + 4..].to_vec();
    let security_keys = |application: &[u8]| {
        [
            line(KeyKind::SkEd25519, &[&point, application]),
            line(KeyKind::SkEcdsaP256, &[b"nistp256", &curve_point, application]),
        ]
    };
    for text in security_keys(b"ssh:").iter().chain(&security_keys(b"ssh:work")) {
        assert_eq!(AuthorizedKey::parse(text).unwrap().to_string(), *text);
    }
    for application in
        [b"https://example.com".as_slice(), b"", b"ssh", b"ssh:\n", b"ssh:\xff", b"SSH:"]
    {
        for text in security_keys(application) {
            assert_eq!(AuthorizedKey::parse(&text), Err(KeyError::Application));
        }
    }
    // The layouts of the sheet: 74 and 127 bytes.
    let lengths =
        security_keys(b"ssh:").map(|text| AuthorizedKey::parse(&text).unwrap().blob().len());
    assert_eq!(lengths, [74, 127]);
}

// sec:K-04
#[test]
fn an_rsa_key_that_anybody_can_use_is_refused() {
    let n = modulus();
    assert!(rsa(&e(), &n).is_ok());
    assert!(rsa(&(power(32) + 1u8), &n).is_ok());
    let exponent = "its RSA exponent is not an odd number from 65537 to 2^33";
    for bad in [
        BigUint::from(1u8),
        2u8.into(),
        3u8.into(),
        65_535u32.into(),
        e() + 1u8,
        power(33) + 1u8,
        &n - 2u8,
    ] {
        assert_eq!(degenerate(rsa(&bad, &n)), exponent, "{bad}");
    }
    let factor = "its RSA modulus has a small factor";
    assert_eq!(degenerate(rsa(&e(), &(&n + 1u8))), factor);
    assert_eq!(degenerate(rsa(&e(), &(power(2050) + 1u8))), factor);
    assert_eq!(degenerate(rsa(&e(), &((power(2203) - 1u8) * 9_973u32))), factor);
    let prime = "its RSA modulus is a prime or the square of one";
    assert_eq!(degenerate(rsa(&e(), &(power(2203) - 1u8))), prime);
    assert_eq!(degenerate(rsa(&e(), &((power(1279) - 1u8) * (power(1279) - 1u8)))), prime);
    assert_eq!(
        degenerate(rsa(&e(), &roca())),
        "its RSA modulus was made by the faulty library of CVE-2017-15361"
    );
}

/// A modulus that is a power of 65537 to every prime up to 167, and has no small factor.
fn roca() -> BigUint {
    let is_prime = |n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    let primes: Vec<u32> = (3..10_000).filter(is_prime).collect();
    let product: BigUint = primes.iter().filter(|p| **p < 168).map(|p| BigUint::from(*p)).product();
    let base = e().modpow(&1_234u32.into(), &product);
    let far = power(2100) / &product * &product;
    (0u32..)
        .map(|step| &base + &far + &product * step)
        .find(|n| n.bit(0) && primes.iter().all(|p| n % *p != BigUint::ZERO))
        .unwrap()
}

// sec:K-03
#[test]
fn an_rsa_key_has_2048_to_8192_bits() {
    for bits in [512, 1024, 1536, 2047, 8193, 16_384] {
        let n = power(bits - 1) + 1u8;
        assert_eq!(rsa(&e(), &n), Err(KeyError::RsaSize { bits: bits.into() }));
    }
    for bits in [2048, 8192] {
        // Of the right size, and refused for what it is.
        assert_eq!(
            degenerate(rsa(&e(), &((power(bits - 1) + 3u8) / 3u8 * 3u8))),
            "its RSA modulus has a small factor"
        );
    }
}

// sec:K-04
#[test]
fn an_ed25519_point_is_canonical_and_of_large_order() {
    let parse = |hex: &str| {
        let point = BigUint::parse_bytes(hex.as_bytes(), 16).unwrap().to_bytes_be();
        let padded = [vec![0; 32 - point.len()], point].concat();
        AuthorizedKey::parse(&line(KeyKind::Ed25519, &[&padded]))
    };
    for small in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    ] {
        assert_eq!(degenerate(parse(small)), "its point has a small order", "{small}");
    }
    for other in [
        "0100000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let why = damaged(parse(other));
        assert!(
            why.contains("canonical") || why == "it is no point of the curve",
            "{other}: {why}"
        );
    }
    assert_eq!(
        damaged(parse("0200000000000000000000000000000000000000000000000000000000000000")),
        "it is no point of the curve"
    );
    for length in [0, 31, 33] {
        let text = line(KeyKind::Ed25519, &[&vec![9; length]]);
        assert_eq!(damaged(AuthorizedKey::parse(&text)), "an Ed25519 key has 32 bytes");
    }
}

// sec:K-04
#[test]
fn an_ecdsa_point_is_on_its_curve() {
    for (kind, name, len) in [
        (KeyKind::EcdsaP256, "nistp256", 32),
        (KeyKind::EcdsaP384, "nistp384", 48),
        (KeyKind::EcdsaP521, "nistp521", 66),
    ] {
        let key = of_kind(kind);
        let point = key.blob()[key.blob().len() - 2 * len - 1..].to_vec();
        let parse = |curve: &str, point: &[u8]| {
            AuthorizedKey::parse(&line(kind, &[curve.as_bytes(), point]))
        };
        assert!(parse(name, &point).is_ok());
        let mut off = point.clone();
        *off.last_mut().unwrap() ^= 1;
        assert_eq!(damaged(parse(name, &off)), "it is no point of the curve");
        let zeros = [vec![4], vec![0; 2 * len]].concat();
        assert_eq!(damaged(parse(name, &zeros)), "it is no point of the curve");
        assert_eq!(damaged(parse("nistp224", &point)), "its curve is not the one of its type");
        assert_eq!(damaged(parse(name, &[])), "its point is not uncompressed");
        assert_eq!(damaged(parse(name, &[0])), "its point is not uncompressed");
        assert_eq!(
            damaged(parse(name, &[&[2], &point[1..=len]].concat())),
            "its point is not uncompressed"
        );
        assert_eq!(
            damaged(parse(name, &point[..point.len() - 1])),
            "its point has the wrong length"
        );
        assert_eq!(
            damaged(parse(name, &[&point[..], &[0]].concat())),
            "its point has the wrong length"
        );
    }
    // The same point with a coordinate beyond the prime.
    let x = (power(256) + power(192) + power(96) - power(224) - 1u8).to_bytes_be();
    let text = line(KeyKind::EcdsaP256, &[b"nistp256", &[&[4], x.as_slice(), &[0; 32]].concat()]);
    assert_eq!(damaged(AuthorizedKey::parse(&text)), "it is no point of the curve");
}

// sec:K-01
#[test]
fn a_blob_is_one_whole_key_in_its_only_spelling() {
    let point = of_kind(KeyKind::Ed25519).blob()[19..].to_vec();
    let parse =
        |bytes: Vec<u8>| AuthorizedKey::parse(&format!("ssh-ed25519 {}", STANDARD.encode(bytes)));
    let whole = blob(&[b"ssh-ed25519", &point]);
    assert!(parse(whole.clone()).is_ok());
    for cut in 0..whole.len() {
        let result = parse(whole[..cut].to_vec());
        assert_eq!(damaged(result), "it ends too early", "{cut}");
    }
    assert_eq!(damaged(parse([whole.as_slice(), &[0]].concat())), "bytes follow its end");
    assert_eq!(damaged(parse(vec![0xff; 40])), "it ends too early");
    assert_eq!(parse(blob(&[b"ssh-rsa", &point])), Err(KeyError::Mismatch { word: "ssh-ed25519" }));
    let (n, number) = (mpint(&modulus()), "a number is not positive or has spare zeros");
    for bad in [vec![], vec![0], vec![0, 1, 0, 1], vec![0x81, 0, 1], vec![0, 0x7f]] {
        assert_eq!(damaged(AuthorizedKey::parse(&line(KeyKind::Rsa, &[&bad, &n]))), number);
        assert_eq!(damaged(AuthorizedKey::parse(&line(KeyKind::Rsa, &[&[1, 0, 1], &bad]))), number);
    }
}

// sec:K-05 sec:K-06
#[test]
fn nothing_stands_before_the_type_or_on_a_second_line() {
    let (_, key) = sound().next().unwrap();
    for option in [
        "command=\"id\"",
        "environment=\"A=b\"",
        "cert-authority",
        "principals=\"root\"",
        "tunnel=\"0\"",
        "permitopen=\"*\"",
        "permitlisten=\"*\"",
        "agent-forwarding",
        "from=\"*\"",
        "restrict",
        "no-pty",
        "expiry-time=\"20990101\"",
        "verify-required",
        "port-forwarding",
        "pty",
        "user-rc",
        "x11-forwarding",
        "@cert-authority *",
        "command=\"echo ssh-rsa\" ",
    ] {
        assert_eq!(
            AuthorizedKey::parse(&format!("{option} {key}")),
            Err(KeyError::Options),
            "{option}"
        );
    }
    for (text, expected) in [
        (format!("{key}\n{key}"), KeyError::SecondLine),
        (format!("{key}\r{key}"), KeyError::SecondLine),
        (format!("{key}\r\nroot:x"), KeyError::SecondLine),
        (format!("{key}\u{2028}x"), KeyError::SecondLine),
        (format!("{key}\u{2029}x"), KeyError::SecondLine),
        (format!("{key}\u{85}x"), KeyError::HiddenCharacter { at: key.len() }),
        (format!("{key}\u{b}x"), KeyError::HiddenCharacter { at: key.len() }),
        (format!("{key}\0"), KeyError::HiddenCharacter { at: key.len() }),
        (format!("{key}\u{202e}"), KeyError::HiddenCharacter { at: key.len() }),
        (key.replacen(' ', "\t", 1), KeyError::HiddenCharacter { at: 11 }),
        (format!("# {key}"), KeyError::Options),
        ("# a comment".into(), KeyError::NoType),
        (key.replacen(' ', "", 1), KeyError::NoType),
        (key.replacen("AAAA", "AAAA ", 1), KeyError::Damaged { why: "it ends too early" }),
        (key.replacen("AAAA", "AAAA\u{a0}", 1), KeyError::Base64),
        (key.replacen('=', "", 1).replacen("AAAAC3", "AAAAC", 1), KeyError::Base64),
        ("ssh-ed25519".into(), KeyError::Damaged { why: "it ends too early" }),
        ("“ssh-ed25519 AAAA”".into(), KeyError::NoType),
        ("".into(), KeyError::Empty),
        (" \n".into(), KeyError::Empty),
        ("1024 65537 1234".into(), KeyError::NoType),
    ] {
        assert_eq!(AuthorizedKey::parse(&text), Err(expected), "{text:?}");
    }
}

// sec:K-02 sec:K-06
#[test]
fn other_types_are_refused_by_name() {
    for word in REFUSED {
        assert_eq!(
            AuthorizedKey::parse(&format!("{word} AAAA x")),
            Err(KeyError::Refused { word })
        );
    }
    assert_eq!(AuthorizedKey::parse("SSH-ED25519 AAAA"), Err(KeyError::NoType));
}

// sec:K-07
#[test]
fn a_private_key_is_refused_and_leaves_no_trace() {
    let secret = "c2VjcmV0";
    for frame in ["OPENSSH ", "RSA ", "EC ", "DSA ", "", "ENCRYPTED "] {
        let text = format!(
            "-----BEGIN {frame}PRIVATE KEY-----\n{secret}\n-----END {frame}PRIVATE KEY-----\n"
        );
        assert_eq!(AuthorizedKey::parse(&text), Err(KeyError::PrivateKey), "{frame}");
        assert_eq!(
            AuthorizedKey::parse(&text.replace('\n', " ")),
            Err(KeyError::PrivateKey),
            "{frame}"
        );
    }
    for text in [
        format!("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{secret}"),
        format!("b3BlbnNzaC1rZXktdjEAAAAA{secret}"),
        format!("ssh-ed25519 b3BlbnNzaC1rZXktdjEAAAAA{secret}"),
        format!("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{secret}"),
    ] {
        let error = AuthorizedKey::parse(&text).unwrap_err();
        assert_eq!(error, KeyError::PrivateKey);
        assert!(!format!("{error} {error:?}").contains(secret));
    }
    for text in [
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA",
        "-----BEGIN PUBLIC KEY-----\nMIIB",
        "-----BEGIN CERTIFICATE-----",
    ] {
        assert_eq!(AuthorizedKey::parse(text), Err(KeyError::NotOpenSsh));
    }
    let unknown = AuthorizedKey::parse(&format!("{secret} {secret}")).unwrap_err();
    assert!(!format!("{unknown} {unknown:?}").contains(secret));
}

// sec:K-07
#[test]
fn only_what_has_the_form_of_a_public_key_may_be_kept() {
    for (_, line) in sound() {
        assert_eq!(refuse_secret(line), Ok(()), "{line}");
        assert_eq!(refuse_secret(&format!("command=\"id\" {line}\r\n\n{line}\n")), Ok(()));
        assert_eq!(refuse_secret(&format!("{line} my private key, see the end")), Ok(()));
        assert_eq!(refuse_secret(&format!("{line}\nQyNTUxOQAAACB")), Err(KeyError::Fragment));
        assert_eq!(refuse_secret(&format!("{line} -----BEGIN RSA PR")), Err(KeyError::Fragment));
        let (_, blob) = line.split_once(' ').unwrap();
        assert_eq!(refuse_secret(blob), Err(KeyError::Fragment));
    }
    for text in ["a20a89ac-70d4-42a7-b3fb-fa1cb2cce024", "n.a. (ask@example.com)", "schlüssel."] {
        assert_eq!(refuse_secret(text), Ok(()), "{text}");
    }
    for text in [
        "",
        " \n",
        "garbage",
        "4,ENCRYPTED",
        "Comment: ada@laptop",
        "ssh-ed25519",
        "AES-128-CBC,0123456789ABCDEF",
        "ada@laptop QyNTUxOQ",
        "{\"kty\":\"OKP\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}",
    ] {
        assert_eq!(refuse_secret(text), Err(KeyError::Fragment), "{text}");
    }
    for word in REFUSED.into_iter().chain(["ssh-of-a-later-release"]) {
        assert_eq!(refuse_secret(&format!("{word} AAAA x")), Ok(()));
        assert_eq!(refuse_secret(&format!("{word} MIIEpAIB")), Err(KeyError::Fragment));
    }
    for frame in ["OPENSSH ", "RSA ", "EC ", "DSA ", "", "ENCRYPTED ", "SSH2 ENCRYPTED "] {
        let text = format!("-----BEGIN {frame}PRIVATE KEY-----");
        for text in [text.to_lowercase(), text.replace(' ', "\n"), text.replace(' ', "")] {
            assert_eq!(AuthorizedKey::parse(&text), Err(KeyError::PrivateKey), "{text}");
            assert_eq!(refuse_secret(&text), Err(KeyError::PrivateKey), "{text}");
        }
    }
    for text in ["puttyuserkeyfile 3", "PRIVATE-LINES: 1", "Private-mac: 0"] {
        assert_eq!(refuse_secret(text), Err(KeyError::PrivateKey));
    }
}

// sec:K-08
#[test]
fn a_key_has_at_most_eight_kibibytes() {
    let (_, key) = sound().next().unwrap();
    let longest = format!("{key}{}", "x".repeat(8192 - key.len()));
    assert_eq!(AuthorizedKey::parse(&longest).unwrap().line().as_str(), longest);
    assert_eq!(
        AuthorizedKey::parse(&format!("{longest}x")),
        Err(KeyError::TooLong { bytes: 8193 })
    );
    assert_eq!(AuthorizedKey::parse(&"A".repeat(65_536)), Err(KeyError::TooLong { bytes: 65_536 }));
}

#[test]
fn a_comment_is_kept_whole_and_cut_for_a_cluster() {
    let (_, key) = sound().next().unwrap();
    let bare = key.rsplit_once(' ').unwrap().0;
    for (comment, cut) in [
        ("it's bob's, \"key\"", " its bobs, key"),
        ("Zoë  at work", " Zo at work"),
        ("漢字", ""),
        ("C:\\keys", " C:keys"),
        ("'", ""),
        ("' a", " a"),
        ("", ""),
    ] {
        let key = AuthorizedKey::parse(&format!("{bare} {comment}")).unwrap();
        assert_eq!(key.comment(), comment);
        assert_eq!(key.line().as_str(), format!("{bare}{cut}"));
        assert_eq!(KeyLine::parse(key.line().as_str()), Ok(key.line()));
    }
    for bad in ["it's", "a  b", "a ", "ä", "a\\b", "\"", "\u{7f}"] {
        assert_eq!(KeyLine::parse(&format!("{bare} {bad}")), Err(KeyLineError), "{bad}");
    }
    for bad in
        ["", "x", "ssh-ed25519", "ssh-ed25519 AAAA", &bare.replacen("ssh-ed25519", "ssh-rsa", 1)]
    {
        assert_eq!(KeyLine::parse(bad), Err(KeyLineError), "{bad}");
    }
}

#[test]
fn messages() {
    let all = [
        KeyError::Empty,
        KeyError::PrivateKey,
        KeyError::Fragment,
        KeyError::NotOpenSsh,
        KeyError::TooLong { bytes: 9000 },
        KeyError::SecondLine,
        KeyError::HiddenCharacter { at: 3 },
        KeyError::Options,
        KeyError::Refused { word: "ssh-dss" },
        KeyError::NoType,
        KeyError::Base64,
        KeyError::Mismatch { word: "ssh-rsa" },
        KeyError::Damaged { why: "bytes follow its end" },
        KeyError::RsaSize { bits: 1024 },
        KeyError::Degenerate { why: "its point has a small order" },
        KeyError::Application,
    ];
    let lines: Vec<_> = all.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    the key is empty: expected `type base64 comment`
    this is a private key: paste the `.pub` file, and replace the key, for it has been shown
    this is no public key and may be a part of a private one: paste the one line of the `.pub` file
    the key is in PEM, RFC 4716 or PuTTY's form: expected OpenSSH's one line, as `ssh-keygen -y` prints it
    the key has 9000 bytes: expected at most 8192
    the key has a second line: expected one key in each value
    the key has a control or invisible character at byte 3: expected plain text
    the key has options before its type: expected `type base64 comment` without options
    `ssh-dss` is not taken: expected ed25519, ecdsa, rsa or a security key of the first two
    the key does not begin with a key type: expected one such as `ssh-ed25519`
    the second word of the key is not base64: the key is cut or wrapped
    the key says one type and holds another: expected `ssh-rsa` inside
    the key is damaged: bytes follow its end
    the RSA key has 1024 bits: expected 2048 to 8192
    anybody could sign for this key: its point has a small order
    the security key is not for SSH: expected the application `ssh:`
    ");
    insta::assert_snapshot!(KeyLineError, @"the line is no canonical public key: expected `type base64 comment` in printable ASCII");
}
