//! The secrets of endpoints, as the database keeps them.

use billstack_core::ids::TeamId;

use crate::secrets::{Cipher, SealError};
use crate::settings::SecretText;

fn context(team_id: &TeamId, endpoint_id: &str) -> String {
    format!("{team_id}/webhook_endpoint/{endpoint_id}")
}

/// Seals the secret of an endpoint.
pub fn seal(cipher: &Cipher, team_id: &TeamId, endpoint_id: &str, secret: &SecretText) -> String {
    cipher.seal(secret.expose(), &context(team_id, endpoint_id))
}

/// Opens what [`seal`] made. Sealed secrets of one endpoint do not open as those of another.
pub fn open(
    cipher: &Cipher,
    team_id: &TeamId,
    endpoint_id: &str,
    sealed: &str,
) -> Result<SecretText, SealError> {
    let opened = cipher.open(sealed, &context(team_id, endpoint_id))?;
    Ok(SecretText::new(opened))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_for_its_endpoint_alone() {
        let cipher = Cipher::new([7; 32]);
        let (team, secret) = (TeamId::from("team_1"), SecretText::new("whsec_abc"));
        let sealed = seal(&cipher, &team, "whe_1", &secret);
        assert_eq!(open(&cipher, &team, "whe_1", &sealed), Ok(secret));
        for (team, endpoint) in [("team_1", "whe_2"), ("team_2", "whe_1")] {
            let opened = open(&cipher, &TeamId::from(team), endpoint, &sealed);
            assert_eq!(opened, Err(SealError::WrongKey));
        }
    }
}
