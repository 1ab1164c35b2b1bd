namespace Broker.Protocol;

/// <summary>Gives topics just these settings: what is not named goes back to its default. Older clients have nothing else. Source: KIP-133.</summary>
public sealed class AlterConfigsRequest : IRequest<AlterConfigsResponse>
{
    public static ApiKey Key => ApiKey.AlterConfigs;
    public static VersionRange Versions => new(0, 2);
    public static short FlexibleFrom => 2;

    public List<AlterConfigsResource> Resources = [];
    public bool ValidateOnly;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Array(ref Resources, version);
        c.Bool(ref ValidateOnly);
        c.EndOfFields();
    }

    public sealed class AlterConfigsResource : IMessage
    {
        /// <summary>2 topic, 4 broker.</summary>
        public sbyte ResourceType;

        public string ResourceName = "";
        public List<AlterableConfig> Configs = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int8(ref ResourceType);
            c.String(ref ResourceName);
            c.Array(ref Configs, version);
            c.EndOfFields();
        }
    }

    public sealed class AlterableConfig : IMessage
    {
        public string Name = "";
        public string? Value = "";

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.NullableString(ref Value);
            c.EndOfFields();
        }
    }
}

public sealed class AlterConfigsResponse : IResponse
{
    public static ApiKey Key => ApiKey.AlterConfigs;

    public int ThrottleTimeMs;
    public List<IncrementalAlterConfigsResponse.AlterConfigsResourceResponse> Responses = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Responses, version);
        c.EndOfFields();
    }
}
