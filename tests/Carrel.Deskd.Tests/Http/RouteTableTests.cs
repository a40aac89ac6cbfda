using Carrel.Deskd.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Carrel.Deskd.Tests.Http;

public sealed class RouteTableTests
{
    private static readonly RouteTable Table = Make("GET /a", "GET /a/{x}/b", "PUT /a/{x}/b", "GET /files/{*path}", "GET /files");

    [Theory]
    [InlineData("GET", "/a", "/a", "")]
    [InlineData("GET", "/a/1/b", "/a/{x}/b", "x=1")]
    [InlineData("PUT", "/a/{x}/b", "/a/{x}/b", "x={x}")]
    [InlineData("GET", "/files", "/files", "")]
    [InlineData("GET", "/files/", "/files/{*path}", "path=")]
    [InlineData("GET", "/files/über/ß x", "/files/{*path}", "path=über/ß x")]
    [InlineData("GET", "/files//etc", "/files/{*path}", "path=/etc")]
    public void Finds_the_route_and_what_it_leaves_open(string method, string path, string route, string values)
    {
        var exchange = Exchange(method, path);

        Assert.Equal(route, Table.Find(exchange).Route?.Path);
        Assert.Equal(values, string.Join(",", exchange.PathValues.Select(v => $"{v.Key}={v.Value}")));
    }

    [Theory]
    [InlineData("GET", "/a//b", 404)]
    [InlineData("GET", "/a/1/b/c", 404)]
    [InlineData("GET", "/a/1", 404)]
    [InlineData("GET", "/b", 404)]
    [InlineData("POST", "/a/1/b", 405)]
    [InlineData("POST", "/files/x", 405)]
    public void Tells_what_there_is_not(string method, string path, int status) =>
        Assert.Equal(status, Table.Find(Exchange(method, path)).Refusal?.Status);

    private static Exchange Exchange(string method, string path)
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature { Method = method, Path = path });
        return new Exchange(features);
    }

    private static RouteTable Make(params string[] routes)
    {
        var table = new RouteTable();
        table.Add(routes.Select(text => text.Split(' ')).Select(r => new Route(r[0], r[1], "", _ => Task.FromResult(Reply.Taken))));
        return table;
    }
}
