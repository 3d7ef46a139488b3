//! Canonical values as open enums.

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        ///
        /// Values that nobody listed are kept as they came.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`.")] $variant,)*
            /// Any other value, or one of these in another letter case. Make it with [`From`], which knows the others.
            Unknown(String),
        }

        impl $name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)*
                    _ => Self::Unknown(text),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::from(text.to_owned())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    )*};
}
pub(crate) use kinds;

kinds! {
    #[doc = "What an e-mail address is for."]
    EmailKind { Work = "work", Home = "home", Other = "other", }
    #[doc = "What a telephone number is for."]
    PhoneNumberKind {
        Work = "work", Home = "home", Mobile = "mobile", Fax = "fax", Pager = "pager", Other = "other",
    }
    #[doc = "What network an instant messaging address belongs to."]
    ImKind {
        Aim = "aim", Gtalk = "gtalk", Icq = "icq", Xmpp = "xmpp", Msn = "msn", Skype = "skype",
        Qq = "qq", Yahoo = "yahoo", Other = "other",
    }
    #[doc = "What a picture is."]
    PhotoKind { Photo = "photo", Thumbnail = "thumbnail", }
    #[doc = "What a postal address is for."]
    AddressKind { Work = "work", Home = "home", Other = "other", }
    #[doc = "How a person is in a group."]
    MembershipKind { Direct = "direct", Indirect = "indirect", }
    #[doc = "What a role, an entitlement or a certificate is for, of which the standard lists nothing."]
    OtherKind {}
}
