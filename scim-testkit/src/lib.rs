#![doc = include_str!("../README.md")]

pub mod agreement;
pub mod coverage;
pub mod faulty;
pub mod limited;
pub mod linear;
pub mod programs;
pub mod state;
pub mod strangers;
pub mod suite;
pub mod sweep;
pub mod transcript;
