//! An organisation to try things on.

use cw_iam_model::{
    Deployment, DialectName, Iam, IamError, NewOrganisation, NewToken, OrganisationId, Scope, Sso,
    Switches,
};

/// What `aup serve --demo` tells of itself.
#[derive(Debug)]
#[non_exhaustive]
pub struct Demo {
    /// The organisation, `acme`.
    pub organisation: OrganisationId,
    /// A token for an identity provider.
    pub token: String,
    /// A token for clusters.
    pub sup_token: String,
}

/// Makes the organisation `acme`, where there is none yet, as [`demo_of`] does: a legacy deployment with its five default groups, single sign-on declared,
/// everything switched on. The tokens are new each time.
///
/// # Errors
///
/// Those of the IAM.
pub async fn demo(iam: &Iam) -> Result<Demo, IamError> {
    demo_of(iam, Deployment::Legacy, DialectName::Tolerant).await
}

/// Makes the organisation `acme` of that deployment, where there is none yet: single sign-on declared, everything switched on. The tokens
/// are new each time, and the identity provider's is of that dialect.
///
/// # Errors
///
/// Those of the IAM.
pub async fn demo_of(
    iam: &Iam,
    deployment: Deployment,
    dialect: DialectName,
) -> Result<Demo, IamError> {
    let organisation: OrganisationId = "acme".parse()?;
    let mut acme = NewOrganisation::new(organisation.clone());
    acme.sso = Sso::Declared;
    acme.switches = Switches::ALL_ON;
    acme.deployment = deployment;
    match iam.create_organisation(acme).await {
        Ok(_) | Err(IamError::OrganisationExists(_)) => {}
        Err(error) => return Err(error),
    }
    let mut provider = NewToken::new("identity provider", Scope::AupWrite);
    provider.dialect = Some(dialect);
    let token = secret(iam, &organisation, provider).await?;
    let clusters = NewToken::new("clusters", Scope::SupRead);
    let sup_token = secret(iam, &organisation, clusters).await?;
    Ok(Demo { organisation, token, sup_token })
}

async fn secret(
    iam: &Iam,
    organisation: &OrganisationId,
    new: NewToken,
) -> Result<String, IamError> {
    let (_, secret) = iam.issue_token(organisation, new, "demo").await?;
    Ok(secret.reveal().to_owned())
}
