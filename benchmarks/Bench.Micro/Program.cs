using Bench.Micro;

return args switch
{
    ["history", .. var rest] => HistoryCommand.Run(rest),
    ["check", .. var rest] => CheckCommand.Run(rest),
    ["small"] => SmallCheckCommand.Run(),
    ["embedded", .. var rest] => await EmbeddedCommand.RunAsync(rest),
    ["flush", .. var rest] => await FlushCommand.RunAsync(rest),
    _ => Usage.Refuse("bench-micro: name a benchmark: history N --out FILE [--seed S] | check FILE | small | embedded [BROKERS] | flush FOLDER"),
};
