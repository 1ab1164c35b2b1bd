namespace Verify.Promises;

/// <summary>What settings demand of each other. Kafka refuses the same (ProducerConfig), unless the remark says that the rule is ours.</summary>
internal static class ConfigurationRules
{
    private const int MostInFlightWithIdempotence = 5;

    public static void Check(Configuration configuration)
    {
        if (configuration.Idempotence) CheckIdempotence(configuration);

        Demand(
            configuration.DeliveryTimeout >= configuration.RequestTimeout,
            $"{SettingCatalogue.DeliveryTimeout}={Ms(configuration.DeliveryTimeout)} is less than {SettingCatalogue.RequestTimeout}={Ms(configuration.RequestTimeout)}: "
            + $"no request could be answered in time, set at least {SettingCatalogue.DeliveryTimeout}={Ms(configuration.RequestTimeout)}");

        // Ours: Kafka starts all the same, and fences live brokers for ever.
        Demand(
            configuration.HeartbeatInterval < configuration.SessionTimeout,
            $"{SettingCatalogue.HeartbeatInterval}={Ms(configuration.HeartbeatInterval)} is not less than {SettingCatalogue.SessionTimeout}={Ms(configuration.SessionTimeout)}: "
            + $"live brokers would be fenced, set at most {SettingCatalogue.HeartbeatInterval}={Math.Max(1, Ms(configuration.SessionTimeout) / 2)}");

        // Ours: what a group has not read when it goes, it can never process.
        Demand(
            configuration.RetentionBytes is null || !configuration.HasGroups,
            $"{SettingCatalogue.RetentionBytes}={configuration.RetentionBytes} and {SettingCatalogue.Commit}={configuration.Value(SettingCatalogue.Commit)} are not judged together: set {SettingCatalogue.Commit}=none or {SettingCatalogue.RetentionBytes}=-1");
    }

    /// <remarks>The broker remembers the last five batches of a producer, hence five in flight. Source: KIP-98, KAFKA-5494.</remarks>
    private static void CheckIdempotence(Configuration configuration)
    {
        const string On = $"{SettingCatalogue.EnableIdempotence}=true";
        var acks = configuration.Value(SettingCatalogue.Acks);
        Demand(configuration.Acks == Acks.All, $"{On} needs acks=all, but acks={acks}: set acks=all or {SettingCatalogue.EnableIdempotence}=false");
        Demand(configuration.Retries > 0, $"{On} needs retries of 1 or more, but retries=0: set retries=1 or {SettingCatalogue.EnableIdempotence}=false");

        // Kafka 4 no longer falls back by itself when there are more than five; before 4.0 it switched idempotence off without a word.
        Demand(
            configuration.MaxInFlight <= MostInFlightWithIdempotence,
            $"{SettingCatalogue.MaxInFlight}={configuration.MaxInFlight} is too many for {On}: "
            + $"set at most {SettingCatalogue.MaxInFlight}={MostInFlightWithIdempotence} or {SettingCatalogue.EnableIdempotence}=false");
    }

    private static long Ms(TimeSpan time) => (long)time.TotalMilliseconds;

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds) throw new BadInputException(otherwise);
    }
}
