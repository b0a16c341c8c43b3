//! The two objects of a user: their own data and the application's.

use crate::domain::ids::UserId;
use crate::domain::profile::user_data::UserData;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;

pub(crate) fn set_own(tx: &mut Tx<'_>, id: UserId, data: &UserData) -> Result<(), Fault> {
    tx.execute("UPDATE users SET data = $2 WHERE id = $1", args![id, data.to_stored()])?;
    Ok(())
}

pub(crate) fn set_app(tx: &mut Tx<'_>, id: UserId, data: &UserData) -> Result<(), Fault> {
    tx.execute("UPDATE users SET app_data = $2 WHERE id = $1", args![id, data.to_stored()])?;
    Ok(())
}
