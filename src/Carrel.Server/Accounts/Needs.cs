namespace Carrel.Server.Accounts;

/// <summary>What kind of thing an endpoint does, where its method does not say it.</summary>
internal sealed record Needs(ActionClass Class)
{
    /// <summary>What a request's endpoint does: as marked, or else reads by GET and HEAD and uses by everything else.</summary>
    public static ActionClass Of(HttpContext context) => Of(context.GetEndpoint(), context.Request.Method);

    public static ActionClass Of(Endpoint? endpoint, string method) =>
        endpoint?.Metadata.GetMetadata<Needs>()?.Class ?? (HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? ActionClass.Read : ActionClass.Use);
}

internal static class NeedsExtensions
{
    public static TBuilder Needs<TBuilder>(this TBuilder builder, ActionClass action)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Needs(action));
}
