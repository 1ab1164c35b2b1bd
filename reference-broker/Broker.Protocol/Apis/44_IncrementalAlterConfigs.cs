namespace Broker.Protocol;

/// <summary>Changes single settings of topics and brokers. Source: KIP-339.</summary>
public sealed class IncrementalAlterConfigsRequest : IRequest<IncrementalAlterConfigsResponse>
{
    public static ApiKey Key => ApiKey.IncrementalAlterConfigs;
    public static VersionRange Versions => new(0, 1);
    public static short FlexibleFrom => 1;

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

        /// <summary>0 set, 1 delete, 2 append, 3 subtract.</summary>
        public sbyte ConfigOperation;

        public string? Value = "";

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.Int8(ref ConfigOperation);
            c.NullableString(ref Value);
            c.EndOfFields();
        }
    }
}

public sealed class IncrementalAlterConfigsResponse : IResponse
{
    public static ApiKey Key => ApiKey.IncrementalAlterConfigs;

    public int ThrottleTimeMs;
    public List<AlterConfigsResourceResponse> Responses = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Responses, version);
        c.EndOfFields();
    }

    public sealed class AlterConfigsResourceResponse : IMessage
    {
        public ErrorCode ErrorCode;
        public string? ErrorMessage = "";
        public sbyte ResourceType;
        public string ResourceName = "";

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Error(ref ErrorCode);
            c.NullableString(ref ErrorMessage);
            c.Int8(ref ResourceType);
            c.String(ref ResourceName);
            c.EndOfFields();
        }
    }
}
