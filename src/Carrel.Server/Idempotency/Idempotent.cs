using Carrel.Server.Errors;

namespace Carrel.Server.Idempotency;

/// <summary>Marks an endpoint that heeds an <c>Idempotency-Key</c>.</summary>
/// <param name="Remake">
/// The answer for what an earlier request made, whose own answer was lost with the server; null where there is none, as that request
/// was cut off.
/// </param>
internal sealed record Idempotent(Func<HttpContext, string, Task<IResult?>>? Remake);

/// <summary>The key of the request that is being served.</summary>
internal sealed record IdempotentClaim(IdempotencyStore Store, string Caller, string Key, string Request)
{
    public Task WillMakeAsync(string id) => Store.WillMakeAsync(Caller, Key, id);
}

internal static class IdempotentExtensions
{
    /// <summary>A POST that creates something and may be repeated with its key. Only where a key of ours is needed.</summary>
    /// <param name="remake">Finds the answer again by the id that <see cref="WillMakeAsync"/> was told.</param>
    public static RouteHandlerBuilder Idempotent(this RouteHandlerBuilder route, Func<HttpContext, string, Task<IResult?>>? remake = null) => route
        .WithMetadata(new Idempotent(remake))
        .Fails(400, 422);

    /// <summary>To be called before it is made: what this request makes. Costs nothing without a key.</summary>
    public static Task WillMakeAsync(this HttpContext context, string id) => context.Features.Get<IdempotentClaim>()?.WillMakeAsync(id) ?? Task.CompletedTask;
}
