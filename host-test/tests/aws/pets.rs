//! DynamoDB: an item is made of a body, and a body of an item.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::process::moto::Moto;

/// The table.
pub fn prepare(moto: &Moto) {
    let table = json!({
        "TableName": "pets",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    moto.json("dynamodb", "DynamoDB_20120810.CreateTable", &table);
}

/// What DynamoDB has, or null.
pub fn item(moto: &Moto, id: &str) -> Value {
    let key = json!({"TableName": "pets", "Key": {"id": {"S": id}}});
    moto.json("dynamodb", "DynamoDB_20120810.GetItem", &key)["Item"].take()
}

pub fn are_put_and_found(edge: &Edge, moto: &Moto) {
    let id = format!("{}-25", edge.name);
    let pet = json!({"id": id, "name": "Pika \"ちゅう\"", "types": ["mouse", "spark"], "height": 0.4}).to_string();
    edge.json("POST", "/prod/pets", &pet, 201);
    let wanted = json!({
        "id": {"S": id}, "name": {"S": "Pika \"ちゅう\""}, "types": {"SS": ["mouse", "spark"]}, "height": {"N": "0.4"},
    });
    assert_eq!(item(moto, &id), wanted, "{}", edge.name);

    let again = edge.json("POST", "/prod/pets", &pet, 409);
    assert_eq!(again, r#"{"message": "ConditionalCheckFailedException"}"#, "{}", edge.name);
    let found = edge.json("GET", &format!("/prod/pets/{id}"), "", 200);
    let found: Value = serde_json::from_str(&found.replace("\"Pika \"ちゅう\"\"", "\"Pika\"")).unwrap_or_default();
    assert_eq!(found, json!({"id": id, "name": "Pika", "types": ["mouse", "spark"], "height": 0.4}), "{}", edge.name);
    assert_eq!(edge.json("GET", "/prod/pets/none", "", 404).trim(), r#"{"message": "no such pet"}"#, "{}", edge.name);
}

pub fn what_the_policy_does_not_allow_is_refused(edge: &Edge, moto: &Moto) {
    let id = format!("{}-25", edge.name);
    let refused = edge.json("DELETE", &format!("/prod/pets/{id}"), "", 403);
    assert!(refused.contains("dynamodb:DeleteItem"), "{}: {refused}", edge.name);
    assert!(!item(moto, &id).is_null(), "{}: it is still there", edge.name);
}
