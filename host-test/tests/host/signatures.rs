//! The foreign function `verify_signature`. Keys and signatures are OpenSSL's.

use crate::probe::{builder, host, plan, said};
use tollgate_host::Host;

const RSA_KEY: &str = "30820122300d06092a864886f70d01010105000382010f003082010a0282010100c34520cfd56b59bed93b3dfd9ae33551bac15869c0f328a6e54488a1c134347088afe1156831a497914c0f1810929311ff81bec21f9b09b34e237ce18a0e5b863bef6c22ccfeac7a651120a11f9bcb79890a72a3b932e43bb4c8629acf76443b580b3a46c5d458534956d88adbb2947013836a125b02943c321eb26091e7519f4d0d0b1a70196209b717ec26c9e35ca614e0a91b49f14cf4427dd9bc6db2cde191bbceaed4db9116228d65870e37d8cbccec208de9dc353da1db02c22a816d2b7e0ed5fb142a4aab6d5bc0b6013d10e7604d3181147888f6a1503e7d84c2b99e8a043d2b3ce224ba376ff170dfc142ae5e4c73e9cf92d123ed6e82545fc742370203010001";
const RS256: &str = "16b927352becc3c2df5e816b40c8e175cad5e1ddabae721099cd64a88b50394b8a2daa4f61c87dc7ef3cc35ad99f6d2cc2b341fe5d73a67f7d9bd14f1d7ac753bbf10315b57680e08bd944dde1a9ff3751b0ca5dd29eed9d4dcda116f6f1f83d224d0dc405aaff04cfedcca4927312b91bb79c668ef5565ce8f78ce8619169968225b362838b01110fd30f47cfa05fc1e156dc196c014777bc9ec9db368b5b7c86fbc250921b5074313507a04ffebec4cce1cf07cbffbb7d1b6365e2c5ea2dd93a9da65b3a0bcdacb5ab30e0cf293ea9e7777cc829a3a9c34484b1630c30f1e4f1ac2e8bc6cfc8bbf1e7c308d14cefb244fedfb84e874e8caf6892e34449ff9e";
const RS512: &str = "067c93e1f06dc447ecd2b38dbe731e4e341a37a6d74a60e7811855486356add326a2ead0e8bf81bd4e7e98e5af0ab3ea181d0922eb3bbe00d0aa12915a71ee0372850a570d495dff6d953730c01247dd2f5d1d805535a7d88e838f843fd8ab9df10f288ba0b153e377282a49508e84b1b31c15c31e856e7259ceb99dde043244a34e6671c3e8edce197ad75a00e642d106accb8a258be0ba7c6167549a9aae6f356f21347623d90add1bd8c76bd2798e9936c06ebf44df1262f9dbb0432cbb462c3287d61ae151eb736ff928cef269903481a1594264ca25837f2a21f8c0324638b809a35595b1fd8a38e99374056284e0bd9734880bb75eb9de626bc79563c7";
const EC_KEY: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200046ba11c5d4809766c6147f88aac50b26c657b6fb7278c9afd43a6cc2153b8d6df1d84d21251f8e0fd930e3b12ac487ddf7fb26b693e30c32b7baf139fa39ca153";
const ES256: &str = "3045022100e47a03139daae04c60293a5a53cb6f09e95accdef1349c2c703723de9d9353d9022050747c79692ce8bcd4018d6a5b4257342e21f9f87da74a7de6d2ea873206f216";
const TEXT: &str = "signed text";

/// A length-delimited protobuf field, in hexadecimal.
fn field(number: u32, hex: &str) -> String {
    let length = hex.len() / 2;
    let length = if length < 128 { format!("{length:02x}") } else { format!("{:02x}{:02x}", length % 128 + 128, length / 128) };
    format!("{:02x}{length}{hex}", number << 3 | 2)
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn verify(host: &mut Host, hash: &str, key: (u32, &str), signature: &str, text: &str) -> String {
    let (number, key) = key;
    let arguments = [field(1, &hex(hash)), field(number, key), field(3, signature), field(4, &hex(text))].concat();
    let outcome = host.send(plan(&format!("request:foreign-hex verify_signature {arguments}")));
    said(&outcome).last().cloned().unwrap_or_default()
}

/// {1: true}
const YES: &str = "foreign verify_signature: Ok(Some([8, 1]))";

#[test]
fn good_signatures_verify() {
    let mut host = host();
    assert_eq!(verify(&mut host, "sha256", (2, RSA_KEY), RS256, TEXT), YES);
    assert_eq!(verify(&mut host, "sha512", (2, RSA_KEY), RS512, TEXT), YES);
    assert_eq!(verify(&mut host, "sha256", (2, EC_KEY), ES256, TEXT), YES);
}

#[test]
fn a_key_may_come_as_pem() {
    let pem = include_str!("public_key.pem");
    assert_eq!(verify(&mut host(), "sha256", (5, &hex(pem)), RS256, TEXT), YES);
}

#[test]
fn bad_signatures_keys_and_hashes_are_an_answer_with_a_reason() {
    let mut host = host();
    let cases = [
        ("sha256", RSA_KEY, RS256, "other text"),
        ("sha512", RSA_KEY, RS256, TEXT),
        ("sha256", RSA_KEY, ES256, TEXT),
        ("sha256", EC_KEY, RS256, TEXT),
        ("sha256", "3003020100", RS256, TEXT),
        ("md5", RSA_KEY, RS256, TEXT),
        ("", RSA_KEY, RS256, TEXT),
        ("sha256", RSA_KEY, "00", TEXT),
    ];
    for (hash, key, signature, text) in cases {
        let answer = verify(&mut host, hash, (2, key), signature, text);
        // {2: reason}: field 1 is false, which protobuf leaves out.
        assert!(answer.starts_with("foreign verify_signature: Ok(Some([18, "), "{hash} {answer}");
    }
}

#[test]
fn arguments_without_a_key_are_bad_arguments() {
    let outcome = host().send(plan("request:foreign verify_signature"));
    assert_eq!(said(&outcome), ["foreign verify_signature: Err(BadArgument)"]);
}

#[test]
fn a_host_may_not_offer_it() {
    let outcome = builder().verify_signature(false).build().unwrap().send(plan("request:foreign verify_signature"));
    assert_eq!(said(&outcome), ["foreign verify_signature: Err(NotFound)"]);
}

#[test]
fn foreign_functions_that_do_not_exist_are_not_found() {
    let text = "request:foreign nope; request:foreign clear_route_cache; request:foreign set_envoy_filter_state";
    let outcome = host().send(plan(text));
    let lines =
        ["foreign nope: Err(NotFound)", "foreign clear_route_cache: Ok(None)", "foreign set_envoy_filter_state: Err(NotFound)"];
    assert_eq!(said(&outcome), lines);
}
