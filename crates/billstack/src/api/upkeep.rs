//! When what looks after the data last ran, as answers tell it.

use billstack_store::upkeep::Run;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// A check of the whole database by every rule.
#[derive(Serialize, ToSchema)]
#[schema(as = LastVerify)]
#[serde(rename_all = "camelCase")]
pub struct LastVerifyJson {
    /// When it began: it saw what was committed by then.
    #[schema(format = DateTime)]
    began_at: String,
    /// When it was over.
    #[schema(format = DateTime)]
    ended_at: String,
    /// How many rules were broken, by whatever project of the server.
    #[schema(minimum = 0, example = 0)]
    broken_rules: i64,
    /// The version of the program that checked.
    #[schema(example = "0.1.0")]
    version: String,
}

/// A copy of the whole database.
#[derive(Serialize, ToSchema)]
#[schema(as = LastBackup)]
#[serde(rename_all = "camelCase")]
pub struct LastBackupJson {
    /// When it began: it holds what was committed by then.
    #[schema(format = DateTime)]
    began_at: String,
    /// When it was whole and on disk.
    #[schema(format = DateTime)]
    ended_at: String,
    /// How large it is.
    #[schema(minimum = 0, example = 4096)]
    bytes: i64,
    /// The version of the program that made it.
    #[schema(example = "0.1.0")]
    version: String,
}

impl From<Run> for LastVerifyJson {
    fn from(run: Run) -> LastVerifyJson {
        LastVerifyJson {
            began_at: rfc3339(run.began_at.0),
            ended_at: rfc3339(run.ended_at.0),
            broken_rules: run.result,
            version: run.version,
        }
    }
}

impl From<Run> for LastBackupJson {
    fn from(run: Run) -> LastBackupJson {
        LastBackupJson {
            began_at: rfc3339(run.began_at.0),
            ended_at: rfc3339(run.ended_at.0),
            bytes: run.result,
            version: run.version,
        }
    }
}
