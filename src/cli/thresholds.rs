//! The flood detector's thresholds as options: made of the detector's own table, so that no two lists can disagree.

use clap::Arg;
use clap::ArgMatches;
use clap::Args;
use clap::Command;
use clap::FromArgMatches;

use crate::detect::syn_flood::Setting;
use crate::detect::syn_flood::Thresholds;

/// Thresholds, the usual ones where nothing is said.
#[derive(Clone, Debug, Default)]
pub(super) struct ThresholdArgs(pub(super) Thresholds);

impl Args for ThresholdArgs {
    fn augment_args(command: Command) -> Command {
        let usual = Thresholds::default();
        Setting::ALL.iter().fold(command, |command, setting| {
            let help = format!("{} [{}; {}]", setting.means, setting.unit, setting.value(&usual));
            let parse = move |text: &str| number(setting, text);
            command.arg(
                Arg::new(setting.name)
                    .long(setting.name)
                    .value_name("N")
                    .value_parser(parse)
                    .help(help)
                    .help_heading("Thresholds"),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ThresholdArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in Setting::ALL {
            if let Some(value) = matches.get_one::<f64>(setting.name) {
                setting
                    .put(&mut self.0, *value)
                    .map_err(|error| clap::Error::raw(clap::error::ErrorKind::ValueValidation, error))?;
            }
        }
        Ok(())
    }
}

/// A number within the bounds of its threshold.
fn number(setting: &Setting, text: &str) -> Result<f64, String> {
    let value = text.parse().map_err(|_| "not a number".to_owned())?;
    let mut tried = Thresholds::default();
    setting.put(&mut tried, value).map_err(|error| error.to_string())?;
    Ok(value)
}
